-- What becomes of a message: it leaves its queues, returns to them, dies, expires.

-- Removes a message for good, with its history.
local function forget(mail)
  for _, key in ipairs(indexes(mail)) do call('ZREM', key, mail.id) end
  call('DEL', record_key(mail.id))
end

local function leave(box, id)
  for i = 1, 5 do call('ZREM', box_key(box, QUEUES[i]), id) end
end

-- Makes a message ready that was not: it has arrived again.
local function return_mail(box, mail)
  enqueue(box, mail)
  call('HSET', record_key(mail.id), 'standing', 'waiting')
  call('HDEL', record_key(mail.id), 'nonce', 'until')
  count_arrival(box)
end

local function drop_dead(box, id)
  call('ZREM', box_key(box, 'dead'), id)
  local mail = fetch(id)
  if mail then forget(mail) else call('DEL', record_key(id)) end
end

-- Lets a message's record and history live until `till`, if that is longer than they do.
local function keep_mail(mail, till)
  keep(record_key(mail.id), till)
  for _, index in ipairs(indexes(mail)) do keep(index, till) end
end

-- Announces what became of a message; the agent is its last reader.
local function tell(kind, id, mail)
  mail = mail or {}
  announce(kind, id, mail.by, mail.from, mail.to)
end

-- Makes a dead letter that died at `at`. Without a record it keeps its id and the reason.
local function bury(box, id, mail, why, at, bad)
  local rank = mail and mail.rank or call('ZSCORE', box_key(box, 'all'), id) or 0
  leave(box, id)
  if not mail then call('DEL', record_key(id)) end
  call('HSET', record_key(id), 'standing', 'dead', 'why', why, 'died', at, 'rank', rank, 'box', box,
    'bad', (bad or not mail) and '1' or '')
  call('HDEL', record_key(id), 'nonce', 'until')
  if mail then keep_mail(mail, at + WEEK) else keep(record_key(id), at + WEEK) end
  call('ZADD', box_key(box, 'dead'), at, id)
  keep(box_key(box, 'dead'), at + WEEK)
  due_at(box, at + WEEK)
  add('died', 1)
  tell('message.dead', id, mail)
  for _, oldest in ipairs(call('ZRANGE', box_key(box, 'dead'), 0, -1 - MAX_DEAD)) do
    drop_dead(box, oldest)
    add('deadTrimmed', 1)
  end
end

-- Takes a message whose TTL ran out away for good.
local function expire(box, id, mail)
  leave(box, id)
  add('expired', 1)
  if mail then forget(mail) else call('DEL', record_key(id)) end
  tell('message.expired', id, mail)
end

-- Ends a lease without an ack; true when the message waits again.
local function end_lease(box, id, mail)
  local becomes = fate(mail)
  if becomes == 'dead' then
    local times = mail.deliveries == 1 and ' delivery' or ' deliveries'
    bury(box, id, mail, mail.deliveries .. times .. ' without an ack', ended(mail))
  elseif becomes == 'expired' then
    -- It was ready from the end of its lease to the end of its TTL, and a check may have said so.
    if mail and ended(mail) < mail.expires then count_arrival(box) end
    expire(box, id, mail)
  else
    call('ZREM', box_key(box, 'lease'), id)
    return_mail(box, mail)
    tell('message.released', id, mail)
    return true
  end
end

-- When the next thing is due in a mailbox.
local function schedule(box)
  local soonest
  for queue, later in pairs({lease = 0, rexp = 0, dead = WEEK}) do
    local first = call('ZRANGE', box_key(box, queue), 0, 0, 'WITHSCORES')
    local time = first[2] and tonumber(first[2]) + later
    if time and (not soonest or time < soonest) then soonest = time end
  end
  if soonest then call('ZADD', p .. 'due', soonest, box) else call('ZREM', p .. 'due', box) end
end
