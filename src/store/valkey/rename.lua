-- rename: 1 the new name, 2 the claim that is gone or ''. Answers how many messages waited under the new name.
local to, gone = arg(1), tonumber(arg(2))

-- Pours one queue into another; what counts by rank moves by `shift`.
local function pour(source, target, shift)
  local page = call('ZRANGE', source, 0, -1, 'WITHSCORES')
  for i = 1, #page, 2 do call('ZADD', target, string.format('%.0f', page[i + 1] + shift), page[i]) end
  local life = call('PTTL', source)
  if life > 0 then keep(target, now + life) end
  call('DEL', source)
end

-- Moves a mailbox's mail in front of the actor's, each message in its order and with its lease.
local function merge(from, box)
  local first = call('ZRANGE', box_key(box, 'all'), 0, 0, 'WITHSCORES')[2]
  local last = call('ZREVRANGE', box_key(from, 'all'), 0, 0, 'WITHSCORES')[2]
  local shift = first and last and math.min(0, first - last - 1) or 0
  local counts = count(from)
  for _, queue in ipairs({'all', 'dead'}) do
    for _, id in ipairs(call('ZRANGE', box_key(from, queue), 0, -1)) do
      local mail = fetch(id)
      if mail then call('HSET', record_key(id), 'box', box, 'rank', mail.rank + shift) end
    end
  end
  for _, queue in ipairs(QUEUES) do
    pour(box_key(from, queue), box_key(box, queue), (queue == 'all' or queue == 'ready') and shift or 0)
  end
  for _, id in ipairs(call('ZRANGE', own_key(from), 0, -1)) do
    if call('EXISTS', p .. 'y:' .. id) == 1 then call('HSET', p .. 'y:' .. id, 'box', box) end
  end
  pour(own_key(from), own_key(box), 0)
  schedule(box)
  call('ZREM', p .. 'due', from)
  count_arrival(box, counts.ready)
  return counts.ready + counts.leased
end

-- Gives the name that the mailbox went by up; it forwards from now on.
local function leave_name(old, gen)
  forward(old, me.box, gen)
  call('HSET', box_key(me.box, 'meta'), 'name', to)
  local sight, till = call('HGET', p .. 'sight', old), call('ZSCORE', p .. 'on', old)
  call('HDEL', p .. 'sight', old)
  call('ZREM', p .. 'on', old)
  if sight then call('HSET', p .. 'sight', to, sight) end
  if till then call('ZADD', p .. 'on', till, to) end
end

-- Frees the new name: its dead claim ends, its mail joins, names that forwarded to it forward on.
local function take_name(known)
  if not known then return 0 end
  if claim_of(known.gen) and known.gen ~= me.gen then
    end_claim(known.gen)
    known = look(to)
  end
  if not known or known.forwards or known.box == me.box then return 0 end
  for _, other in ipairs(forwards_of(known.box)) do forward(other.name, me.box, other.gen) end
  local merged = merge(known.box, me.box)
  call('DEL', box_key(known.box, 'meta'))
  call('SET', box_key(known.box, 'into'), me.box, 'PX', ttl + DAY / 2)
  wake(p .. 'w:' .. known.box)
  return merged
end

return run(function()
  begin(true, true)
  local old = me.box > 0 and main_name(me) or me.name
  if to == old then refuse('same', to) end
  local known = look(to)
  local held = known and known.gen ~= me.gen and live_claim(known.gen, gone)
  if held then refuse('namekept', to) end
  if known and not known.forwards then expect_box(known.box) end
  if me.box > 0 then expect_box(me.box) end
  settle_due(me.box)
  if me.box == 0 then me.box = mailbox(me.name) end
  local merged = take_name(known)
  local claim = claim_of(me.gen)
  call('HDEL', p .. 'sight', to)
  call('ZREM', p .. 'on', to)
  -- Whoever held the new name before must find another claim's number there.
  if me.gen == 0 and known and known.gen > 0 then me.gen = call('HINCRBY', KEYS[1], 'generation', 1) end
  point(to, me.box, me.gen, false)
  leave_name(old, me.gen)
  if claim then call('HSET', p .. 'claims', me.gen, string.format('%.0f %s %s', now, to, claim.holder)) end
  if not known then wake(p .. 'wn:' .. to) end
  announce('agent.renamed', nil, old, nil, to)
  wake(p .. 'w:' .. me.box)
  return merged
end)
