-- Broadcasts, and moving what is due everywhere.
-- `y:<id>` hash: a broadcast; zsets: `b:a` announcements, `b:n` notices and `b:by:<mailbox>` its own announcements by
-- number, `b:exp` all by expiry, `b:trim` "<mailbox>:<number>" of announcements that the cap dropped, by number.

local function cursor_of(box)
  if box == 0 then return tonumber(call('HGET', KEYS[1], 'trim') or 0) end
  return tonumber(call('HGET', box_key(box, 'meta'), 'cursor') or 0)
end

local function own_key(box) return p .. 'b:by:' .. box end

-- Removes a broadcast for good.
local function silence(id)
  local box = call('HGET', p .. 'y:' .. id, 'box')
  if box then call('ZREM', own_key(box), id) end
  for _, key in ipairs({'b:a', 'b:n', 'b:exp'}) do call('ZREM', p .. key, id) end
  call('DEL', p .. 'y:' .. id)
end

-- Whether an announcement is alive and another mailbox's.
local function is_news(id, box)
  local expires = call('ZSCORE', p .. 'b:exp', id)
  return expires and tonumber(expires) > now and not call('ZSCORE', own_key(box), id)
end

-- Broadcasts that ran out but were not moved yet.
local function overdue_words() return quiet and {} or call('ZRANGEBYSCORE', p .. 'b:exp', '-inf', now) end

-- Live announcements behind a cursor, without the mailbox's own.
local function unseen(box, cursor)
  local behind = '(' .. cursor
  local count = call('ZCOUNT', p .. 'b:a', behind, '+inf') - call('ZCOUNT', own_key(box), behind, '+inf')
  for _, id in ipairs(overdue_words()) do
    local number = call('ZSCORE', p .. 'b:a', id)
    if number and tonumber(number) > cursor and not call('ZSCORE', own_key(box), id) then count = count - 1 end
  end
  return count
end

-- Announcements alive, of anybody.
local function alive()
  local count = call('ZCARD', p .. 'b:a')
  for _, id in ipairs(overdue_words()) do
    if call('ZSCORE', p .. 'b:a', id) then count = count - 1 end
  end
  return count
end

-- Announcements that the cap dropped before this mailbox saw them, since it last read.
local function missed(box)
  if box == 0 then return 0 end
  local count = tonumber(call('HGET', box_key(box, 'meta'), 'missed') or 0)
  for _, entry in ipairs(call('ZRANGEBYSCORE', p .. 'b:trim', '(' .. cursor_of(box), '+inf')) do
    if string.match(entry, '^%d+') ~= tostring(box) then count = count + 1 end
  end
  return count
end

local function move_due_broadcasts(budget)
  local ids = call('ZRANGEBYSCORE', p .. 'b:exp', '-inf', now, 'LIMIT', 0, budget)
  for _, id in ipairs(ids) do silence(id) end
  local first = call('ZRANGE', p .. 'b:exp', 0, 0, 'WITHSCORES')
  if first[2] then call('ZADD', p .. 'due', first[2], 'b') else call('ZREM', p .. 'due', 'b') end
  return #ids
end

-- Moves what is due: of the mailbox at hand first, then of others, so that counts and events do not wait for a visit.
-- A mailbox of others that has a key of the wrong type is left for a minute; its own steps say what is wrong.
local function settle_due(own)
  if marked then return end
  local due, budget = call('ZRANGEBYSCORE', p .. 'due', '-inf', now, 'LIMIT', 0, 20), BUDGET
  quiet = #due == 0
  if quiet then return end
  changed()
  local is_due = own > 0 and tonumber(call('ZSCORE', p .. 'due', own) or now + 1) <= now
  if is_due then budget = budget - move_due(own, budget) end
  for _, box in ipairs(due) do
    if budget <= 0 then return end
    if box == 'b' then
      budget = budget - move_due_broadcasts(budget)
    elseif tonumber(box) ~= own then
      if pcall(expect_box, box) then
        budget = budget - move_due(box, budget)
      else
        call('ZADD', p .. 'due', now + 60000, box)
      end
    end
  end
end

-- Looks an idempotency key up: its id when it was used for the same, a refusal when for something else.
local function known_key(operation, key, fingerprint)
  if key == '' then return nil, nil end
  local place = p .. 'k:' .. operation .. ':' .. ARGV[2] .. ':' .. redis.sha1hex(key)
  local expires, print, id = string.match(call('GET', place) or '', '^(%d+) (%x+) (%S+) ')
  if not expires or tonumber(expires) <= now then return nil, place end
  if print ~= fingerprint then refuse('conflict', key) end
  return id, place
end

-- Remembers an idempotency key until `expires`; the index lets a move find it.
local function remember(place, key, fingerprint, id, expires)
  if not place then return end
  local value = string.format('%.0f %s %s %s', expires, fingerprint, id, key)
  call('SET', place, value, 'PX', math.max(expires - now, 0) + HOUR)
  call('ZADD', p .. 'keys', expires, string.sub(place, #p + 1))
  call('ZREMRANGEBYSCORE', p .. 'keys', '-inf', now - HOUR)
  keep(p .. 'keys', expires)
end
