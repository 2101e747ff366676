-- list: 1 how many, 2 an offset, 3 behind which id or ''. Answers messages, ids without a record, how many in all.
local limit, after = tonumber(arg(1)), arg(3)

local function page()
  if after == '' then
    return call('ZRANGE', box_key(me.box, 'all'), arg(2), string.format('%.0f', arg(2) + limit - 1))
  end
  local mail = fetch(after)
  local rank = call('ZSCORE', box_key(me.box, 'all'), after) or mail and mail.box == tostring(me.box) and mail.rank
  if not rank then refuse('notfound', after) end
  return call('ZRANGEBYSCORE', box_key(me.box, 'all'), '(' .. rank, '+inf', 'LIMIT', 0, limit)
end

return run(function()
  begin(false, false)
  settle_due(me.box)
  if me.box == 0 then return {{}, {}, 0} end
  local rows, missing, counts = {}, {}, count(me.box)
  for _, id in ipairs(page()) do
    local mail = fetch(id, true)
    if not mail then
      missing[#missing + 1] = id
    else
      mail.standing = standing_of(mail)
      if mail.standing == 'waiting' or mail.standing == 'leased' then rows[#rows + 1] = shown(mail) end
    end
  end
  return {rows, missing, counts.ready + counts.leased}
end)
