-- What every script stands on: keys, time, refusals, the store's phase, events.
-- KEYS[1] is `{prefix}meta`; every other key is made from it, so that all lie under one hash tag.
-- ARGV: 1 the given time or '', 2 the actor's name, 3 its standing (s, n, g or '' for nobody), 4 its generation
-- (s) or the claim that does not count (g), 5 the sighting or '', 6 its state or '', 7 TTL in ms, 8 inbox cap,
-- 9 announcement cap, 10 deliveries; a verb's own arguments follow.
local SCHEMA, HOUR, DAY = 1, 3600000, 86400000
local PRESENCE = 30000
local p = string.sub(KEYS[1], 1, -5)
-- `marked`: the store is being read out; `quiet`: nothing is due anywhere.
local meta, marked, quiet

local function arg(n) return ARGV[10 + n] end

-- Ends the script with an answer that says why nothing was done.
local function refuse(...) error({refusal = {...}}, 0) end

-- redis.call that names the key whose type is wrong. A refusal comes before a verb's first write.
local function call(...)
  local answer = redis.pcall(...)
  if type(answer) == 'table' and answer.err then
    if string.find(answer.err, 'WRONGTYPE', 1, true) then refuse('wrongtype', (select(2, ...))) end
    -- pcall makes a string of a server's error, unless it is wrapped.
    error({failure = answer.err}, 0)
  end
  return answer
end

local function expect(key, kind)
  local found = call('TYPE', key).ok
  if found ~= 'none' and found ~= kind then refuse('wrongtype', key) end
end

local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- Lets a key live until `till` and some hours more; asks first, so that most calls write nothing.
local function keep(key, till)
  local need = till - now
  if call('PTTL', key) < need then call('PEXPIRE', key, need + DAY / 2) end
end

local function add(counter, by) call('HINCRBY', KEYS[1], counter, by) end

-- Counts a change of what a check would find, so that no finding from before it is told again.
local function changed() meta.change = call('HINCRBY', KEYS[1], 'change', 1) end

local function phase_now()
  if meta.phase == 'moving' and tonumber(meta['until']) <= now then return 'open' end
  return meta.phase or 'open'
end

local function read_meta()
  local values = call('HMGET', KEYS[1], 'schema', 'epoch', 'phase', 'token', 'until', 'url', 'filled', 'change')
  meta = {schema = values[1], epoch = values[2], phase = values[3], token = values[4], ['until'] = values[5],
          url = values[6], filled = values[7], change = values[8] or '0'}
  if meta.schema and tonumber(meta.schema) ~= SCHEMA then refuse('schema', meta.schema) end
end

-- Writes down what a new store begins with. The epoch tells its events from those of a store that was lost here.
local function found()
  local time = call('TIME')
  meta.schema, meta.epoch = SCHEMA, string.sub(redis.sha1hex(p .. time[1] .. '.' .. time[2]), 1, 8)
  call('HSET', KEYS[1], 'schema', SCHEMA, 'epoch', meta.epoch)
  call('DEL', p .. 'ev')
end

-- Judges the phase. While a store is being read out nothing is written, also no presence and nothing due.
local function enter(writes)
  read_meta()
  local phase = phase_now()
  if phase == 'moved' then refuse('moved', meta.url) end
  if phase == 'filling' or (phase == 'moving' and writes) then refuse(phase) end
  marked = phase == 'moving'
  if marked then return end
  expect(p .. 'ev', 'stream')
  if not meta.schema then found() end
  if writes then changed() end
end

local function announce(kind, id, agent, from, to)
  local number = call('HINCRBY', KEYS[1], 'event', 1)
  call('XADD', p .. 'ev', 'MAXLEN', '~', 10000, number .. '-0',
    't', kind, 'a', now, 'i', id or '', 'g', agent or '', 'f', from or '', 'o', to or '')
end

-- Wakes whoever waits on this stream.
local function wake(key)
  call('XADD', key, 'MAXLEN', 1, '*', 'w', 1)
  keep(key, now + DAY)
end

-- A UUIDv7 of the store's time and the caller's random bits.
local function new_id(tail) return string.format('%08x-%04x-', math.floor(now / 65536), now % 65536) .. tail end

-- What a message weighs: its body's bytes as a JSON text, and what stands around it (`weight` in store.rs).
local function weight(body)
  body = body or ''
  local _, marks = string.gsub(body, '["\\\b\f\n\r\t]', '')
  local _, controls = string.gsub(body, '[%z\1-\31]', '')
  local _, short = string.gsub(body, '[\b\f\n\r\t]', '')
  return #body + marks + 5 * (controls - short) + 402
end

-- Runs a verb. Its answer comes as {'ok', answer}, a refusal as {kind, details...}, a server's error as it is.
local function run(verb)
  local done, answer = pcall(verb)
  if done then return {'ok', answer} end
  if type(answer) == 'table' then return answer.refusal or {err = answer.failure} end
  return redis.error_reply('ERR ' .. tostring(answer))
end
