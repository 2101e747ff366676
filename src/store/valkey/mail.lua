-- Messages and mailboxes: records, and counts.
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

local function expect_box(box)
  for _, queue in ipairs(QUEUES) do expect(box_key(box, queue), 'zset') end
end

-- What becomes of a message when its lease ends without an ack.
local function fate(mail)
  if not mail then return 'expired' end
  if mail.deliveries >= max_deliveries then return 'dead' end
  return mail.expires <= now and 'expired' or 'ready'
end

-- When a lease ended: a run-out one earlier than now.
local function ended(mail) return math.min(now, tonumber(mail['until']) or now) end

-- Live counts of a mailbox, right also while more is due than was moved.
local function count(box)
  local function live(queue)
    if quiet then return call('ZCARD', box_key(box, queue)) end
    return call('ZCOUNT', box_key(box, queue), '(' .. now, '+inf')
  end
  local counts = {
    ready = live('rexp'), urgent = live('urg'), leased = live('lease'),
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
