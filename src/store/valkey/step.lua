-- What every step does besides: judging the store's phase, keeping keys alive, counting, events, weighing.

local function arg(n) return ARGV[10 + n] end

local function expect(key, kind)
  local found = call('TYPE', key).ok
  if found ~= 'none' and found ~= kind then refuse('wrongtype', key) end
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

-- Writes down what a new store begins with. The epoch tells its events from those of a store that was lost here; claims are counted
-- from the time, so that none has the number of one in that.
local function found()
  local time = call('TIME')
  meta.schema, meta.epoch = SCHEMA, string.sub(redis.sha1hex(p .. time[1] .. '.' .. time[2]), 1, 8)
  call('HSET', KEYS[1], 'schema', SCHEMA, 'epoch', meta.epoch, 'generation', string.format('%.0f', now))
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

-- Wakes whoever waits on this stream. Only its end matters; to cut it to that exactly, the server would step over all that it
-- has cut before and still keeps.
local function wake(key)
  call('XADD', key, 'MAXLEN', '~', 1, '*', 'w', 1)
  keep(key, now + DAY)
end

-- What a message weighs: its body's bytes as a JSON text, and what stands around it (`weight` in store.rs).
local function weight(body)
  body = body or ''
  local _, marks = string.gsub(body, '["\\\b\f\n\r\t]', '')
  local _, controls = string.gsub(body, '[%z\1-\31]', '')
  local _, short = string.gsub(body, '[\b\f\n\r\t]', '')
  return #body + marks + 5 * (controls - short) + 402
end
