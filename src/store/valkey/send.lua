-- send: 1 recipient, 2 body, 3 replied-to id or '', 4 via, 5 '1' if urgent, 6 the id's tail, 7 key or '', 8 its
-- fingerprint.
-- Answers id, whether it was created, what is known of the recipient, how many wait there, and the names in use when nobody
-- has used that one.
local to, tail, key = arg(1), arg(6), arg(7)

local function recipient(known)
  if not known then return 'unknown' end
  local name = main_name(known)
  local sight = sight_of(name)
  if sight and is_online(name) then return sight.state end
  return (sight or known.gen > 0) and 'offline' or 'unknown'
end

-- Drops entries of one of the indexes whose record is gone: mostly from its head, now and then elsewhere, so that an
-- old one cannot hide the rest for long.
local function prune(indexes, rank)
  local index, start, elsewhere = indexes[rank % #indexes + 1], 0, rank % 32 < #indexes
  if elsewhere then start = rank % math.max(call('ZCARD', index), 1) end
  for _, id in ipairs(call('ZRANGE', index, start, start + 15)) do
    if call('EXISTS', record_key(id)) == 0 then call('ZREM', index, id) elseif not elsewhere then return end
  end
end

-- The indexes come before the record: if one is of the wrong type, entries without a record are left, unseen.
local function store(box, id)
  local reply = arg(3)
  local thread = reply ~= '' and (call('HGET', record_key(reply), 'thread') or reply) or id
  local rank = call('HINCRBY', KEYS[1], 'rank', 1)
  local mail = {id = id, from = ARGV[2], to = to, thread = thread, urgent = arg(5), expires = now + ttl, rank = rank}
  local history = indexes(mail)
  for _, index in ipairs(history) do
    call('ZADD', index, rank, id)
    keep(index, mail.expires)
  end
  wake(p .. 'w:' .. box)
  call('HSET', record_key(id), 'from', mail.from, 'to', to, 'reply', reply, 'thread', thread, 'via', arg(4),
    'urgent', mail.urgent, 'at', now, 'rank', rank, 'box', box, 'expires', mail.expires, 'deliveries', 0,
    'standing', 'waiting', 'body', arg(2))
  call('PEXPIRE', record_key(id), ttl + DAY / 2)
  enqueue(box, mail)
  count_arrival(box)
  add('sent', 1)
  announce('message.sent', id, nil, mail.from, to)
  prune(history, rank)
end

-- Names that somebody has used, with blanks between them.
local function names_in_use()
  local names, used = call('ZRANGEBYLEX', p .. 'idx', '-', '+', 'LIMIT', 0, 1000), {}
  local sights = #names > 0 and call('HMGET', p .. 'sight', unpack(names)) or {}
  for i, sight in ipairs(sights) do
    if sight then used[#used + 1] = names[i] end
  end
  return table.concat(used, ' ')
end

return run(function()
  begin(true, false)
  local known = look(to)
  settle_due(known and known.box or 0)
  local first, place = known_key('send', key, arg(8))
  local state = recipient(known)
  if first then return {first, 0, state, known and count(known.box).ready or 0, false} end
  -- What is not read here is looked at, so that nothing is written where something is of the wrong type.
  for _, queue in ipairs({'all', 'ready'}) do
    if known then expect(box_key(known.box, queue), 'zset') end
  end
  local counts = known and count(known.box) or {ready = 0, leased = 0}
  if counts.ready + counts.leased >= max_inbox then refuse('full', to, counts.ready + counts.leased) end
  local id = new_id(tail)
  if call('EXISTS', record_key(id)) == 1 then refuse('twice', id) end
  local box = known and known.box or mailbox(to)
  store(box, id)
  remember(place, key, arg(8), id, now + ttl)
  return {id, 1, state, counts.ready + 1, state == 'unknown' and names_in_use()}
end)
