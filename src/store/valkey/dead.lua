-- dead letters: 1 'list', 'retry' or 'purge', 2 how many or '' for all, then the ids of retry and purge, if not all.
-- Answers the letters, newest first, or how many were retried or purged.
local what, limit = arg(1), tonumber(arg(2))

local function retry(id)
  local mail = fetch(id)
  if not mail or call('HGET', record_key(id), 'bad') == '1' then return false end
  mail.expires = now + ttl
  call('HSET', record_key(id), 'expires', mail.expires, 'deliveries', 0)
  call('HDEL', record_key(id), 'why', 'died', 'by', 'taken')
  keep_mail(mail, mail.expires)
  call('ZREM', box_key(me.box, 'dead'), id)
  return_mail(me.box, mail)
  tell('message.released', id, mail)
  return true
end

local function purge(id)
  drop_dead(me.box, id)
  add('deleted', 1)
  announce('cleared', id, me.name)
  return true
end

local function chosen()
  if limit == 0 then return call('ZRANGE', box_key(me.box, 'dead'), 0, -1) end
  local ids = {}
  for n = 3, #ARGV - 10 do
    if call('ZSCORE', box_key(me.box, 'dead'), arg(n)) then ids[#ids + 1] = arg(n) end
  end
  return ids
end

local function list()
  local rows = {}
  local ids = call('ZREVRANGEBYSCORE', box_key(me.box, 'dead'), '+inf', '(' .. (now - WEEK), 'LIMIT', 0, limit)
  for _, id in ipairs(ids) do
    local mail = fetch(id, true)
    local words = mail and {mail.why, mail.died} or redis.pcall('HMGET', record_key(id), 'why', 'died')
    rows[#rows + 1] = {id, words[1] or 'its record is missing', words[2] or call('ZSCORE', box_key(me.box, 'dead'), id),
                       mail and shown(mail) or {}, mail and mail.rank or 0}
  end
  table.sort(rows, function(a, b)
    local x, y = tonumber(a[3]), tonumber(b[3])
    return x > y or (x == y and a[5] > b[5])
  end)
  return rows
end

return run(function()
  begin(what ~= 'list', what ~= 'list')
  if me.box > 0 then expect_box(me.box) end
  settle_due(me.box)
  if what == 'list' then return me.box > 0 and list() or {} end
  if me.box == 0 then return 0 end
  local done = 0
  for _, id in ipairs(chosen()) do
    local carried = false
    if what == 'retry' then carried = retry(id) else carried = purge(id) end
    if carried then done = done + 1 end
  end
  if what == 'retry' and done > 0 then wake(p .. 'w:' .. me.box) end
  return done
end)
