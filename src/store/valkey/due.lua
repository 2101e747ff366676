-- Moving what is due in one mailbox, and among broadcasts.

-- The leases that ran out; when there are more than the budget, what is ready again first, in the queue's order, so
-- that a lease right after this finds the head of the queue.
local function overdue(box, budget)
  local ids = call('ZRANGEBYSCORE', box_key(box, 'lease'), '-inf', now)
  if #ids <= budget then return ids end
  local place, first = {}, {}
  for _, id in ipairs(ids) do
    local mail = fetch(id)
    place[id] = {fate(mail) == 'ready' and 0 or 1, mail and mail.rank or 0}
  end
  table.sort(ids, function(a, b)
    local x, y = place[a], place[b]
    return x[1] < y[1] or (x[1] == y[1] and x[2] < y[2])
  end)
  for i = 1, budget do first[i] = ids[i] end
  return first
end

-- Moves up to `budget` due entries of a mailbox and returns how many.
local function move_due(box, budget)
  expect_box(box)
  local moved, again = 0, false
  for _, id in ipairs(overdue(box, budget)) do
    again = end_lease(box, id, fetch(id)) or again
    moved = moved + 1
  end
  for _, id in ipairs(call('ZRANGEBYSCORE', box_key(box, 'rexp'), '-inf', now, 'LIMIT', 0, budget - moved)) do
    expire(box, id, fetch(id))
    moved = moved + 1
  end
  for _, id in ipairs(call('ZRANGEBYSCORE', box_key(box, 'dead'), '-inf', now - WEEK, 'LIMIT', 0, budget - moved)) do
    drop_dead(box, id)
    add('deadTrimmed', 1)
    moved = moved + 1
  end
  schedule(box)
  if again then wake(p .. 'w:' .. box) end
  return moved
end

-- The same for broadcasts.
local function move_due_broadcasts(budget)
  local ids = call('ZRANGEBYSCORE', p .. 'b:exp', '-inf', now, 'LIMIT', 0, budget)
  for _, id in ipairs(ids) do silence(id) end
  local first = call('ZRANGE', p .. 'b:exp', 0, 0, 'WITHSCORES')
  if first[2] then call('ZADD', p .. 'due', first[2], 'b') else call('ZREM', p .. 'due', 'b') end
  return #ids
end
