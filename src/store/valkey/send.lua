-- send: 1 recipient, 2 body, 3 replied-to id or '', 4 via, 5 '1' if urgent, 6 the id's tail, 7 key or '', 8 fingerprint.
-- Answers id, whether it was created, what is known of the recipient, how many wait there.
local to, tail, key = arg(1), arg(6), arg(7)

local function recipient(known)
  if not known then return 'unknown' end
  local name = main_name(known)
  local sight = sight_of(name)
  if sight and is_online(name) then return sight.state end
  return (sight or known.gen > 0) and 'offline' or 'unknown'
end

-- Drops index entries whose record is gone: one at the head, one elsewhere, so that no old one can hide the rest.
local function prune(index, seq)
  local size = call('ZCARD', index)
  if size == 0 then return end
  for _, place in ipairs({0, seq % size}) do
    local id = call('ZRANGE', index, place, place)[1]
    if id and call('EXISTS', record_key(id)) == 0 then call('ZREM', index, id) end
  end
end

local function store(box, id)
  local reply = arg(3)
  local thread = reply ~= '' and (call('HGET', record_key(reply), 'thread') or reply) or id
  local mail = {id = id, from = ARGV[2], to = to, thread = thread, urgent = arg(5), expires = now + ttl}
  local history = indexes(mail)
  for _, index in ipairs(history) do expect(index, 'zset') end
  expect(p .. 'w:' .. box, 'stream')
  local seq = call('HINCRBY', KEYS[1], 'seq', 1)
  mail.rank = call('HINCRBY', KEYS[1], 'rank', 1)
  call('HSET', record_key(id), 'from', mail.from, 'to', to, 'reply', reply, 'thread', thread, 'via', arg(4),
    'urgent', mail.urgent, 'at', now, 'rank', mail.rank, 'box', box, 'expires', mail.expires, 'deliveries', 0,
    'body', arg(2))
  call('PEXPIRE', record_key(id), ttl + DAY / 2)
  await(box, mail)
  for _, index in ipairs(history) do
    prune(index, seq)
    call('ZADD', index, seq, id)
    keep(index, mail.expires)
  end
  add('sent', 1)
  announce('message.sent', id, nil, mail.from, to)
  wake(p .. 'w:' .. box)
end

return run(function()
  begin(true, false)
  local known = look(to)
  settle_due(known and known.box or 0)
  local first, place = known_key('send', key, arg(8))
  local state = recipient(known)
  if first then return {first, 0, state, known and count(known.box).ready or 0} end
  if known then expect_box(known.box) end
  local counts = known and count(known.box) or {ready = 0, leased = 0}
  if counts.ready + counts.leased >= max_inbox then refuse('full', counts.ready + counts.leased) end
  local id = new_id(tail)
  if call('EXISTS', record_key(id)) == 1 then refuse('twice', id) end
  local box = known and known.box or mailbox(to)
  store(box, id)
  remember(place, key, arg(8), id, now + ttl)
  return {id, 1, state, counts.ready + 1}
end)
