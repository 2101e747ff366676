-- broadcasts: 1 '1' for all, 2 '1' to advance, 3 how many, 4 how much unseen ones may weigh or ''.
-- Answers records, unseen, live announcements, missed. A record: id, from, body, at, kind, via.
local all, advance, limit, room = arg(1) == '1', arg(2) == '1', tonumber(arg(3)), tonumber(arg(4))

local function row(id)
  local key = p .. 'y:' .. id
  return {id, unpack(call('HMGET', key, 'from', 'body', 'at', 'kind', 'via'))}
end

-- The newest of both kinds, oldest first.
local function newest()
  local numbers, ids = {}, {}
  for _, list in ipairs({'b:a', 'b:n'}) do
    local page = call('ZREVRANGE', p .. list, 0, limit - 1, 'WITHSCORES')
    for i = 1, #page, 2 do
      if tonumber(call('ZSCORE', p .. 'b:exp', page[i]) or 0) > now then
        ids[#ids + 1] = page[i]
        numbers[page[i]] = tonumber(page[i + 1])
      end
    end
  end
  table.sort(ids, function(a, b) return numbers[a] < numbers[b] end)
  local rows = {}
  for i = math.max(1, #ids - limit + 1), #ids do rows[#rows + 1] = row(ids[i]) end
  return rows
end

-- The first behind the cursor that are not the mailbox's own, and the number of the last one, if there may be more.
local function next_ones(cursor)
  local rows, last = {}, cursor
  while true do
    local page = call('ZRANGEBYSCORE', p .. 'b:a', '(' .. last, '+inf', 'WITHSCORES', 'LIMIT', 0, limit)
    for i = 1, #page, 2 do
      local found = is_news(page[i], me.box) and row(page[i])
      if found and room then
        local heavy = weight(found[3])
        if heavy > room and #rows > 0 then return rows, last end
        room = math.max(room - heavy, 0)
      end
      last = tonumber(page[i + 1])
      rows[#rows + 1] = found or nil
      if #rows == limit then return rows, last end
    end
    if #page < 2 * limit then return rows, nil end
  end
end

return run(function()
  begin(advance, advance)
  settle_due(me.box)
  if advance and me.box == 0 then me.box = mailbox(me.name) end
  local cursor, lost = cursor_of(me.box), missed(me.box)
  local rows, last
  if all then rows = newest() else rows, last = next_ones(cursor) end
  if advance then
    cursor = last or tonumber(call('HGET', KEYS[1], 'broadcast') or 0)
    call('HSET', box_key(me.box, 'meta'), 'cursor', cursor, 'missed', 0)
  end
  return {rows, unseen(me.box, cursor), alive(), lost}
end)
