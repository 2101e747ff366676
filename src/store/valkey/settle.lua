-- settle: 1 'ack', 'extend' or 'release', 2 hold in ms, then pairs of id and nonce. Answers 1 (done) or 0 (stale) for each.
local what, hold = arg(1), tonumber(arg(2))

local function ack(mail)
  leave(me.box, mail.id)
  call('HSET', record_key(mail.id), 'standing', 'taken', 'acked', now)
  call('PEXPIRE', record_key(mail.id), math.max(mail.expires - now, 0) + HOUR)
  add('taken', 1)
  announce('message.taken', mail.id, me.name, mail.from, mail.to)
end

local function extend(mail)
  call('HSET', record_key(mail.id), 'until', now + hold)
  call('ZADD', box_key(me.box, 'lease'), now + hold, mail.id)
  for _, key in ipairs({record_key(mail.id), box_key(me.box, 'lease'), box_key(me.box, 'all')}) do keep(key, now + hold) end
  due_at(me.box, now + hold)
end

-- Whether a mailbox is the actor's, or was merged into it: a taken message keeps the mailbox that it was taken from.
local function is_mine(box)
  while box and box ~= tostring(me.box) do box = call('GET', box_key(box, 'into')) end
  return box
end

-- Carries it out if the receipt is this delivery's; true when it did.
local function settle(id, nonce)
  local mail = fetch(id)
  if not mail or mail.nonce ~= nonce or not is_mine(mail.box) then return false end
  if mail.standing == 'taken' then return what == 'ack' end
  if mail.standing ~= 'leased' or tonumber(mail['until']) <= now then return false end
  if what == 'ack' then ack(mail) elseif what == 'extend' then extend(mail) else
    if end_lease(me.box, id, mail) then wake(p .. 'w:' .. me.box) end
  end
  return true
end

return run(function()
  begin(true, true)
  if me.box > 0 then expect_box(me.box) end
  settle_due(me.box)
  local done = {}
  for n = 3, #ARGV - 10, 2 do
    done[#done + 1] = me.box > 0 and settle(arg(n), arg(n + 1)) and 1 or 0
  end
  return done
end)
