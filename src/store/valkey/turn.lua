-- Moving what is due, in each step. Mostly nothing is, so the functions that do it are in `movers`, which makes them when they are
-- needed: to make functions takes longer than most commands.

-- Moves what is due: of the mailbox at hand first, then of others, so that counts and events do not wait for a visit.
-- A mailbox of others that has a key of the wrong type is left for a minute; its own steps say what is wrong.
local function settle_due(own)
  if marked then return end
  local due, budget = call('ZRANGEBYSCORE', p .. 'due', '-inf', now, 'LIMIT', 0, 20), BUDGET
  quiet = #due == 0
  if quiet then return end
  changed()
  local move_due, move_due_broadcasts = movers()
  local is_due = own > 0 and tonumber(call('ZSCORE', p .. 'due', own) or now + 1) <= now
  if is_due then budget = budget - move_due(own, budget) end
  for _, box in ipairs(due) do
    if budget <= 0 then return end
    if box == 'b' then
      budget = budget - move_due_broadcasts(budget)
    elseif tonumber(box) ~= own then
      if pcall(expect_box, box) then
        budget = budget - move_due(box, budget)
      else
        call('ZADD', p .. 'due', now + 60000, box)
      end
    end
  end
end
