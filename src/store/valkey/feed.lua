-- Broadcasts as a mailbox sees them.
-- `y:<id>` hash: a broadcast; zsets: `b:a` announcements, `b:n` notices and `b:by:<mailbox>` its own announcements by
-- number, `b:exp` all by expiry, `b:trim` "<mailbox>:<number>" of announcements that the cap dropped, by number.

local function cursor_of(box)
  if box == 0 then return tonumber(call('HGET', KEYS[1], 'trim') or 0) end
  return tonumber(call('HGET', box_key(box, 'meta'), 'cursor') or 0)
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
