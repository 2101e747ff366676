-- Idempotency keys, and ids.

-- A UUIDv7 of the store's time and the caller's random bits.
local function new_id(tail) return string.format('%08x-%04x-', math.floor(now / 65536), now % 65536) .. tail end

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
