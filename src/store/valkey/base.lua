-- What every script stands on: keys, time, refusals, and what is known of the store.
-- KEYS[1] is `{prefix}meta`; every other key is made from it, so that all lie under one hash tag.
-- ARGV: 1 the given time or '', 2 the actor's name, 3 its standing (s, n, g or '' for nobody), 4 its generation
-- (s) or the claim that does not count (g), 5 the sighting or '', 6 its state or '', 7 TTL in ms, 8 inbox cap,
-- 9 announcement cap, 10 deliveries; a verb's own arguments follow.
local SCHEMA, HOUR, DAY = 1, 3600000, 86400000
local PRESENCE = 30000
local p = string.sub(KEYS[1], 1, -5)
-- `marked`: the store is being read out; `quiet`: nothing is due anywhere.
local meta, marked, quiet

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

local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

local function read_meta()
  local values = call('HMGET', KEYS[1], 'schema', 'epoch', 'phase', 'token', 'until', 'url', 'filled', 'change')
  meta = {schema = values[1], epoch = values[2], phase = values[3], token = values[4], ['until'] = values[5],
          url = values[6], filled = values[7], change = values[8] or '0'}
  if meta.schema and tonumber(meta.schema) ~= SCHEMA then refuse('schema', meta.schema) end
end

-- Runs a verb. Its answer comes as {'ok', answer}, a refusal as {kind, details...}, a server's error as it is.
local function run(verb)
  local done, answer = pcall(verb)
  if done then return {'ok', answer} end
  if type(answer) == 'table' then return answer.refusal or {err = answer.failure} end
  return redis.error_reply('ERR ' .. tostring(answer))
end
