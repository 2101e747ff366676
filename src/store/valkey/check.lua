-- check: answers unread, urgent, unseen, arrivals, and the id and sender of the newest message and of the newest
-- broadcast.

-- The last in the queue of those that wait.
local function newest_message(box, counts)
  local best, rank
  local start = 0
  repeat
    local page = call('ZREVRANGE', box_key(box, 'ready'), start, start + 19)
    for _, id in ipairs(page) do
      if is_live(box, id) then best, rank = id, tonumber(call('ZSCORE', box_key(box, 'ready'), id)) break end
    end
    start = start + 20
  until best or #page < 20
  for _, mail in ipairs(counts.back) do
    if not rank or mail.rank > rank then best, rank = mail.id, mail.rank end
  end
  return best
end

local function newest_broadcast(box, cursor)
  local start = 0
  while true do
    local page = call('ZREVRANGEBYSCORE', p .. 'b:a', '+inf', '(' .. cursor, 'LIMIT', start, 20)
    for _, id in ipairs(page) do
      if is_news(id, box) then return id end
    end
    if #page < 20 then return nil end
    start = start + 20
  end
end

-- The sender; false when the record cannot tell.
local function sender(key)
  local from = redis.pcall('HGET', key, 'from')
  return type(from) == 'string' and from
end

-- Keeps an answer for `unchanged.lua` until something comes due anywhere, or for a day. One without a sender is not kept.
local function keep_answer(answer)
  if marked or me.box == 0 or (answer[5] and not answer[6]) or (answer[7] and not answer[8]) then return end
  local first = call('ZRANGE', p .. 'due', 0, 0, 'WITHSCORES')[2]
  local till = first and math.min(tonumber(first), now + DAY) or now + DAY
  local words = {meta.epoch, meta.change, me.gen, string.format('%.0f %.0f', now, till), main_name(me)}
  for i = 1, 8 do words[i + 5] = answer[i] or '-' end
  call('SET', p .. 'f:' .. me.name, table.concat(words, ' '), 'PX', DAY)
end

return run(function()
  begin(false, false)
  settle_due(me.box)
  local counts = me.box > 0 and count(me.box) or {ready = 0, urgent = 0}
  local cursor = cursor_of(me.box)
  local fresh = unseen(me.box, cursor)
  local message = counts.ready > 0 and newest_message(me.box, counts)
  local broadcast = fresh > 0 and newest_broadcast(me.box, cursor)
  -- What ran out but was not moved yet has arrived, too.
  local arrivals = me.box > 0 and (call('HGET', box_key(me.box, 'meta'), 'arrivals') or 0) + counts.arrived or 0
  local answer = {counts.ready, counts.urgent, fresh, arrivals, message, message and sender(record_key(message)),
                  broadcast, broadcast and sender(p .. 'y:' .. broadcast)}
  keep_answer(answer)
  return answer
end)
