-- Messages and mailboxes: one record each, one queue each, and what is due.
-- `x:<id>` hash: a message. Of a mailbox, zsets of ids: `all` (waiting and leased) and `ready` by rank, `rexp` ready
-- ones and `urg` urgent ready ones by expiry, `lease` by the lease's end, `dead` by death. `due` zset: mailbox (or `b`
-- for broadcasts) -> a time before which nothing is due there. `h:…` zsets: history by order of arrival.
local WEEK, MAX_DEAD, BUDGET = 7 * DAY, 1000, 100
local QUEUES = {'all', 'ready', 'rexp', 'urg', 'lease', 'dead'}
-- The body is last, for most steps do not need it.
local FIELDS = {'from', 'to', 'reply', 'thread', 'via', 'urgent', 'at', 'rank', 'box', 'expires', 'deliveries', 'nonce',
                'until', 'by', 'taken', 'acked', 'standing', 'why', 'died', 'body'}
local ttl, max_inbox, max_deliveries = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[10])

local function record_key(id) return p .. 'x:' .. id end

-- A message's record, with its body if `whole`; nil when it is missing or no record at all.
local function fetch(id, whole)
  local values = redis.pcall('HMGET', record_key(id), unpack(FIELDS, 1, whole and #FIELDS or #FIELDS - 1))
  if values.err then return nil end
  local mail = {id = id}
  for i = 1, #values do mail[FIELDS[i]] = values[i] end
  if not (mail.from and mail.rank and mail.expires) then return nil end
  mail.to, mail.thread = mail.to or '', mail.thread or id
  mail.rank, mail.expires, mail.deliveries = tonumber(mail.rank), tonumber(mail.expires), tonumber(mail.deliveries)
  return mail.rank and mail.expires and mail.deliveries and mail or nil
end

-- A record as it goes to the caller: its id and its fields in their order.
local function shown(mail)
  local row = {mail.id}
  for i, field in ipairs(FIELDS) do
    local value = mail[field]
    row[i + 1] = type(value) == 'number' and string.format('%.0f', value) or value or false
  end
  return row
end

local function expect_box(box)
  for _, queue in ipairs(QUEUES) do expect(box_key(box, queue), 'zset') end
end

local function due_at(box, time) call('ZADD', p .. 'due', 'LT', time, box) end

-- The history indexes that a message stands in.
local function indexes(mail)
  local a, b = mail.from, mail.to
  if b < a then a, b = b, a end
  local keys = {p .. 'h:all', p .. 'h:a:' .. mail.from, p .. 'h:p:' .. a .. ':' .. b, p .. 'h:t:' .. mail.thread}
  if a ~= b then keys[5] = p .. 'h:a:' .. mail.to end
  return keys
end

-- Removes a message for good, with its history.
local function forget(mail)
  for _, key in ipairs(indexes(mail)) do call('ZREM', key, mail.id) end
  call('DEL', record_key(mail.id))
end

local function leave(box, id)
  for i = 1, 5 do call('ZREM', box_key(box, QUEUES[i]), id) end
end

-- Puts a message in the queue of those that wait.
local function enqueue(box, mail)
  local places = {all = mail.rank, ready = mail.rank, rexp = mail.expires, urg = mail.urgent == '1' and mail.expires or nil}
  for queue, score in pairs(places) do
    call('ZADD', box_key(box, queue), score, mail.id)
    keep(box_key(box, queue), mail.expires)
  end
  due_at(box, mail.expires)
end

local function count_arrival(box, by) call('HINCRBY', box_key(box, 'meta'), 'arrivals', by or 1) end

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

-- Makes a dead letter that died at `at`. Without a record it keeps its id and the reason.
local function bury(box, id, mail, why, at, bad)
  local rank = mail and mail.rank or call('ZSCORE', box_key(box, 'all'), id) or 0
  leave(box, id)
  if not mail then call('DEL', record_key(id)) end
  call('HSET', record_key(id), 'standing', 'dead', 'why', why, 'died', at, 'rank', rank, 'box', box,
    'bad', (bad or not mail) and '1' or '')
  call('HDEL', record_key(id), 'nonce', 'until')
  call('PEXPIRE', record_key(id), WEEK + DAY / 2)
  call('ZADD', box_key(box, 'dead'), at, id)
  keep(box_key(box, 'dead'), at + WEEK)
  due_at(box, at + WEEK)
  add('died', 1)
  announce('message.dead', id, nil, mail and mail.from, mail and mail.to)
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
  announce('message.expired', id, nil, mail and mail.from, mail and mail.to)
end

-- What becomes of a message when its lease ends without an ack.
local function fate(mail)
  if not mail then return 'expired' end
  if mail.deliveries >= max_deliveries then return 'dead' end
  return mail.expires <= now and 'expired' or 'ready'
end

-- When a lease ended: a run-out one earlier than now.
local function ended(mail) return math.min(now, tonumber(mail['until']) or now) end

-- Where a message stands, also when nobody has moved it there yet; nil when it is gone.
local function standing_of(mail)
  if mail.standing == 'dead' then return tonumber(mail.died) + WEEK > now and 'dead' or nil end
  if mail.standing ~= 'leased' then return mail.expires > now and mail.standing or nil end
  if ended(mail) == now then return 'leased' end
  local becomes = fate(mail)
  return becomes == 'ready' and 'waiting' or becomes == 'dead' and 'dead' or nil
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
    announce('message.released', id, nil, mail.from, mail.to)
    return true
  end
end

-- The leases that ran out; when there are more than the budget, what is ready again first, in the queue's order, so that
-- a lease right after this finds the head of the queue.
local function overdue(box, budget)
  local ids = call('ZRANGEBYSCORE', box_key(box, 'lease'), '-inf', now)
  if #ids <= budget then return ids end
  local place, first = {}, {}
  for _, id in ipairs(ids) do
    local mail = fetch(id)
    place[id] = {fate(mail) == 'ready' and 0 or 1, mail and mail.rank or 0}
  end
  table.sort(ids, function(a, b)
    local x, y = place[a], place[b]
    return x[1] < y[1] or (x[1] == y[1] and x[2] < y[2])
  end)
  for i = 1, budget do first[i] = ids[i] end
  return first
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

-- Moves up to `budget` due entries of a mailbox and returns how many.
local function move_due(box, budget)
  expect_box(box)
  local moved, again = 0, false
  for _, id in ipairs(overdue(box, budget)) do
    again = end_lease(box, id, fetch(id)) or again
    moved = moved + 1
  end
  for _, id in ipairs(call('ZRANGEBYSCORE', box_key(box, 'rexp'), '-inf', now, 'LIMIT', 0, budget - moved)) do
    expire(box, id, fetch(id))
    moved = moved + 1
  end
  for _, id in ipairs(call('ZRANGEBYSCORE', box_key(box, 'dead'), '-inf', now - WEEK, 'LIMIT', 0, budget - moved)) do
    drop_dead(box, id)
    add('deadTrimmed', 1)
    moved = moved + 1
  end
  schedule(box)
  if again then wake(p .. 'w:' .. box) end
  return moved
end

-- Live counts of a mailbox, right also while more is due than was moved.
local function count(box)
  local after = '(' .. now
  local counts = {
    ready = call('ZCOUNT', box_key(box, 'rexp'), after, '+inf'),
    urgent = call('ZCOUNT', box_key(box, 'urg'), after, '+inf'),
    leased = call('ZCOUNT', box_key(box, 'lease'), after, '+inf'),
    back = {}, expired = 0, dying = 0, arrived = 0,
  }
  for _, id in ipairs(quiet and {} or call('ZRANGEBYSCORE', box_key(box, 'lease'), '-inf', now)) do
    local mail = fetch(id)
    local becomes = fate(mail)
    if becomes == 'dead' then
      counts.dying = counts.dying + 1
    elseif becomes == 'expired' then
      counts.expired = counts.expired + 1
      if mail and ended(mail) < mail.expires then counts.arrived = counts.arrived + 1 end
    else
      counts.arrived = counts.arrived + 1
      counts.ready, counts.back[#counts.back + 1] = counts.ready + 1, mail
      if mail.urgent == '1' then counts.urgent = counts.urgent + 1 end
    end
  end
  return counts
end

local function is_live(box, id)
  local expires = call('ZSCORE', box_key(box, 'rexp'), id)
  return expires and tonumber(expires) > now
end

-- Up to `limit` live ready ids from the head.
local function heads(box, limit)
  local ids, start = {}, 0
  while #ids < limit do
    local page = call('ZRANGE', box_key(box, 'ready'), start, start + limit - 1)
    for _, id in ipairs(page) do
      if #ids < limit and is_live(box, id) then ids[#ids + 1] = id end
    end
    if #page < limit then break end
    start = start + limit
  end
  return ids
end

-- When the next lease of a mailbox runs out.
local function next_lease(box)
  return call('ZRANGE', box_key(box, 'lease'), 0, 0, 'WITHSCORES')[2] or false
end
