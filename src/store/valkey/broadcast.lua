-- broadcast: 1 kind, 2 body, 3 via, 4 the id's tail, 5 key or '', 6 fingerprint, 7 how many notices are kept.
-- Answers id and whether it was created.
local kind, key = arg(1), arg(5)
local is_notice = kind == 'notice'
local list = p .. (is_notice and 'b:n' or 'b:a')
local cap = tonumber(is_notice and arg(7) or ARGV[9])

local function store(id)
  local number, expires = call('HINCRBY', KEYS[1], 'broadcast', 1), now + tonumber(ARGV[7])
  call('HSET', p .. 'y:' .. id, 'from', ARGV[2], 'body', arg(2), 'via', arg(3), 'kind', kind, 'at', now,
    'number', number, 'expires', expires, 'box', me.box)
  call('PEXPIRE', p .. 'y:' .. id, expires - now + DAY / 2)
  call('ZADD', list, number, id)
  call('ZADD', p .. 'b:exp', expires, id)
  if not is_notice then call('ZADD', own_key(me.box), number, id) end
  for _, place in ipairs({list, p .. 'b:exp', own_key(me.box)}) do keep(place, expires) end
  call('ZADD', p .. 'due', 'LT', expires, 'b')
end

-- Drops the oldest beyond the cap. Announcements are remembered by number, so that readers learn what they missed.
local function trim()
  for _, id in ipairs(call('ZRANGE', list, 0, -1 - cap)) do
    if not is_notice then
      local number = call('ZSCORE', list, id)
      local box = call('HGET', p .. 'y:' .. id, 'box') or 0
      call('ZADD', p .. 'b:trim', number, box .. ':' .. number)
      call('HSET', KEYS[1], 'trim', number)
      add('trimmed', 1)
    end
    silence(id)
  end
  call('ZREMRANGEBYRANK', p .. 'b:trim', 0, -10001)
  keep(p .. 'b:trim', now + tonumber(ARGV[7]))
end

return run(function()
  begin(true, false)
  settle_due(0)
  local first, place = known_key('broadcast', key, arg(6))
  if first then return {first, 0} end
  for _, name in ipairs({'b:a', 'b:n', 'b:exp', 'b:trim'}) do expect(p .. name, 'zset') end
  expect(p .. 'w:b', 'stream')
  local id = new_id(arg(4))
  if call('EXISTS', p .. 'y:' .. id) == 1 then refuse('twice', id) end
  if me.box == 0 then me.box = mailbox(me.name) end
  store(id)
  trim()
  remember(place, key, arg(6), id, now + tonumber(ARGV[7]))
  announce('broadcast.created', id, nil, ARGV[2])
  wake(p .. 'w:b')
  return {id, 1}
end)
