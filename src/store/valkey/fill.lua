-- fill: 1 the move's token, then parcels: each a sort, how many values, the values. Answers how many were taken in.
local sorts = {}

-- Raises a counter of the store to at least this.
local function raise(counter, value)
  if tonumber(call('HGET', KEYS[1], counter) or 0) < tonumber(value) then call('HSET', KEYS[1], counter, value) end
end

function sorts.mailbox(v)
  raise('mailbox', v[1])
  call('HSET', box_key(v[1], 'meta'), 'cursor', v[2], 'missed', v[3], 'arrivals', v[4])
end

-- 1 name, 2 mailbox, 3 forwards, 4 generation, 5 holder or '', 6 last seen or ''
function sorts.name(v)
  local forwards, box = v[3] == '1', tonumber(v[2])
  raise('mailbox', box)
  point(v[1], box, tonumber(v[4]), forwards)
  if forwards then
    call('HSET', box_key(box, 'meta'), 'old', (call('HGET', box_key(box, 'meta'), 'old') or '') .. ' ' .. v[1])
    return
  end
  call('HSET', box_key(box, 'meta'), 'name', v[1])
  if v[5] ~= '' then call('HSET', p .. 'claims', v[4], '0 ' .. v[1] .. ' ' .. v[5]) end
  if v[6] ~= '' then call('HSET', p .. 'sight', v[1], v[6] .. ' idle {}') end
end

-- Puts a message in the queues of its standing.
local function queue(box, mail)
  if mail.standing == 'waiting' then return enqueue(box, mail) end
  if mail.standing == 'leased' then
    call('ZADD', box_key(box, 'all'), mail.rank, mail.id)
    call('ZADD', box_key(box, 'lease'), mail['until'], mail.id)
    for _, name in ipairs({'all', 'lease'}) do keep(box_key(box, name), math.max(mail.expires, mail['until'])) end
    due_at(box, mail['until'])
  elseif mail.standing == 'dead' then
    call('ZADD', box_key(box, 'dead'), mail.died, mail.id)
    keep(box_key(box, 'dead'), mail.died + WEEK)
    due_at(box, mail.died + WEEK)
  end
end

-- An id, then the fields of a record in their order; what is not set is ''.
function sorts.mail(v)
  local mail, pairs_ = {id = v[1]}, {}
  for i, field in ipairs(FIELDS) do
    local value = v[i + 1]
    if value ~= '' then
      mail[field] = value
      pairs_[#pairs_ + 1], pairs_[#pairs_ + 2] = field, value
    end
  end
  for _, field in ipairs({'rank', 'expires', 'until', 'died'}) do mail[field] = tonumber(mail[field] or 0) end
  call('HSET', record_key(mail.id), unpack(pairs_))
  local till = math.max(mail.expires, mail['until'], mail.died > 0 and mail.died + WEEK or 0)
  call('PEXPIRE', record_key(mail.id), math.max(till - now, 0) + DAY / 2)
  queue(tonumber(mail.box), mail)
  local seq = call('HINCRBY', KEYS[1], 'seq', 1)
  raise('rank', math.max(mail.rank, seq))
  for _, index in ipairs(indexes(mail)) do
    call('ZADD', index, seq, mail.id)
    keep(index, till)
  end
end

-- 1 id, 2 number, 3 from, 4 body, 5 at, 6 kind, 7 via, 8 expires, 9 mailbox
function sorts.broadcast(v)
  local id, number, expires, key = v[1], v[2], tonumber(v[8]), p .. 'y:' .. v[1]
  call('HSET', key, 'from', v[3], 'body', v[4], 'at', v[5], 'kind', v[6], 'via', v[7], 'number', number,
    'expires', v[8], 'box', v[9])
  call('PEXPIRE', key, math.max(expires - now, 0) + DAY / 2)
  local list = p .. (v[6] == 'notice' and 'b:n' or 'b:a')
  call('ZADD', list, number, id)
  call('ZADD', p .. 'b:exp', expires, id)
  if v[6] ~= 'notice' then call('ZADD', own_key(v[9]), number, id) end
  for _, place in ipairs({list, p .. 'b:exp', own_key(v[9])}) do keep(place, expires) end
  call('ZADD', p .. 'due', 'LT', expires, 'b')
  raise('broadcast', number)
end

-- 1 operation, 2 sender, 3 key, 4 fingerprint, 5 id, 6 expires
function sorts.key(v)
  local place = p .. 'k:' .. v[1] .. ':' .. v[2] .. ':' .. redis.sha1hex(v[3])
  remember(place, v[3], v[4], v[5], tonumber(v[6]))
end

function sorts.counters(v)
  for i, name in ipairs({'sent', 'taken', 'expired', 'died', 'trimmed', 'deadTrimmed', 'deleted'}) do
    call('HSET', KEYS[1], name, v[i])
  end
  raise('broadcast', v[8])
  raise('generation', v[9])
end

return run(function()
  read_meta()
  if meta.phase ~= 'filling' or meta.token ~= arg(1) then refuse('notfilling') end
  local n, last, taken = 2, #ARGV - 10, 0
  while n <= last do
    local size, values = tonumber(arg(n + 1)), {}
    for i = 1, size do values[i] = arg(n + 1 + i) end
    sorts[arg(n)](values)
    n, taken = n + 2 + size, taken + 1
  end
  return taken
end)
