-- export: 1 what sort, 2 behind which place, 3 '1' to count only, which needs no mark. Answers rows and the place to go
-- on behind, or nothing at the end.
local what, after = arg(1), arg(2)
local sorts = {}

function sorts.mailboxes()
  local rows, last = {}, tonumber(call('HGET', KEYS[1], 'mailbox') or 0)
  local from = tonumber(after) + 1
  for box = from, math.min(last, from + 999) do
    local values = call('HMGET', box_key(box, 'meta'), 'name', 'cursor', 'arrivals')
    if values[1] then rows[#rows + 1] = {box, values[2] or 0, missed(box), values[3] or 0} end
  end
  return rows, from + 999 < last and from + 999
end

function sorts.names()
  local names, rows = call('HKEYS', p .. 'names'), {}
  table.sort(names)
  for _, name in ipairs(names) do
    if name > after then
      if #rows == 500 then return rows, rows[500][1] end
      local known = look(name)
      local claim, sight = claim_of(known.gen), sight_of(name)
      rows[#rows + 1] = {name, known.box, known.forwards and 1 or 0, claim and known.gen or 0,
                         claim and claim.holder or false, sight and string.format('%.0f', sight.at) or false}
    end
  end
  return rows, false
end

-- Pages of one index; `row` makes a row of an id or nothing.
local function walk(index, size, row)
  local rows = {}
  local page = call('ZRANGEBYSCORE', index, '(' .. after, '+inf', 'WITHSCORES', 'LIMIT', 0, size)
  for i = 1, #page, 2 do rows[#rows + 1] = row(page[i], page[i + 1]) end
  return rows, #page == 2 * size and page[#page]
end

function sorts.mail()
  return walk(p .. 'h:all', 50, function(id)
    local mail = fetch(id, true)
    return mail and shown(mail) or nil
  end)
end

local function broadcast(id, number)
  local values = call('HMGET', p .. 'y:' .. id, 'from', 'body', 'at', 'kind', 'via', 'expires', 'box')
  return values[1] and {id, number, unpack(values)} or nil
end

function sorts.announcements() return walk(p .. 'b:a', 50, broadcast) end

function sorts.notices() return walk(p .. 'b:n', 50, broadcast) end

function sorts.keys()
  local rows, start = {}, tonumber(after)
  local page = call('ZRANGE', p .. 'keys', start, start + 499)
  for _, place in ipairs(page) do
    local operation, sender = string.match(place, '^k:(%a+):([^:]+):')
    local expires, print, id, key = string.match(call('GET', p .. place) or '', '^(%d+) (%x+) (%S+) (.*)$')
    if expires then rows[#rows + 1] = {operation, sender, key, print, id, expires} end
  end
  return rows, #page == 500 and start + 500
end

function sorts.counters()
  local names = {'sent', 'taken', 'expired', 'died', 'trimmed', 'deadTrimmed', 'deleted', 'broadcast', 'generation'}
  local values = call('HMGET', KEYS[1], unpack(names))
  for i = 1, #names do values[i] = tonumber(values[i] or 0) end
  return {values}, false
end

return run(function()
  read_meta()
  if arg(3) ~= '1' and phase_now() ~= 'moving' then refuse('marklost') end
  local rows, next_place = sorts[what]()
  return {rows, next_place and tostring(next_place) or false}
end)
