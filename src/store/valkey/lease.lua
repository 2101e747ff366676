-- lease and peek: 1 'lease' or 'peek', 2 how many, 3 one id or '', 4 hold in ms, 5 nonce, 6 how much
-- they may weigh or ''.
-- Answers messages, how many more wait, ids without a record, when the next lease runs out, the time.
local leases, limit, one, hold, nonce = arg(1) == 'lease', tonumber(arg(2)), arg(3), tonumber(arg(4)), arg(5)
local room = tonumber(arg(6))

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

local function take(mail)
  local id, till = mail.id, now + hold
  mail.deliveries, mail.nonce, mail['until'] = mail.deliveries + 1, nonce, till
  mail.by, mail.taken, mail.standing = me.name, now, 'leased'
  call('HSET', record_key(id), 'deliveries', mail.deliveries, 'nonce', nonce, 'until', till, 'by', me.name,
    'taken', now, 'standing', 'leased')
  call('ZADD', box_key(me.box, 'lease'), till, id)
  for _, queue in ipairs({'ready', 'rexp', 'urg'}) do call('ZREM', box_key(me.box, queue), id) end
  for _, queue in ipairs({'lease', 'all'}) do keep(box_key(me.box, queue), till) end
  if till > mail.expires then keep_mail(mail, till) end
  announce('message.leased', id, me.name, mail.from, mail.to)
end

return run(function()
  begin(leases, leases)
  if me.box == 0 then
    settle_due(0)
    return {{}, 0, {}, false, now}
  end
  expect_box(me.box)
  settle_due(me.box)
  local messages, missing, ids = {}, {}, {}
  if one == '' then ids = heads(me.box, limit) elseif is_live(me.box, one) then ids = {one} end
  for _, id in ipairs(ids) do
    local mail = fetch(id, true)
    if not mail then
      missing[#missing + 1] = id
      if leases then bury(me.box, id, nil, 'its record is missing', now) end
    else
      if room then
        local heavy = weight(mail.body)
        if heavy > room and #messages > 0 then break end
        room = math.max(room - heavy, 0)
      end
      if leases then take(mail) end
      messages[#messages + 1] = shown(mail)
    end
  end
  if leases and #messages > 0 then due_at(me.box, now + hold) end
  local waiting = count(me.box).ready
  if not leases then waiting = waiting - #ids end
  return {messages, waiting, missing, next_lease(me.box), now}
end)
