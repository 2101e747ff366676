-- Names, claims, presence, and what the actor may do.
-- `names` hash: name -> "mailbox generation forwards"; `idx` zset: names that do not forward, in byte order;
-- `claims` hash: generation -> "time name holder"; `sight` hash: name -> "time state sighting"; `on` zset: name ->
-- until when it is online; `m:<mailbox>:meta` hash: name, cursor, missed, arrivals, old
-- (names that forward, by spaces).
local me

local function box_key(box, what) return p .. 'm:' .. box .. ':' .. what end

-- A mailbox's own announcements.
local function own_key(box) return p .. 'b:by:' .. box end

local function look(name)
  local value = call('HGET', p .. 'names', name)
  if not value then return nil end
  local box, gen, forwards = string.match(value, '^(%d+) (%d+) (%d)$')
  if not box then refuse('garbled', p .. 'names', name) end
  return {name = name, box = tonumber(box), gen = tonumber(gen), forwards = forwards == '1'}
end

local function point(name, box, gen, forwards)
  call('HSET', p .. 'names', name, string.format('%d %d %d', box, gen, forwards and 1 or 0))
  if forwards then call('ZREM', p .. 'idx', name) else call('ZADD', p .. 'idx', 0, name) end
end

-- The mailbox of a name, made when there is none. Its broadcast cursor starts behind what was trimmed before.
local function mailbox(name)
  local known = look(name)
  if known then return known.box end
  local box = call('HINCRBY', KEYS[1], 'mailbox', 1)
  point(name, box, 0, false)
  call('HSET', box_key(box, 'meta'), 'name', name, 'cursor', call('HGET', KEYS[1], 'trim') or 0)
  wake(p .. 'wn:' .. name)
  return box
end

-- The name that a mailbox goes by: a name's own, or the one that it forwards to.
local function main_name(known)
  if not known.forwards then return known.name end
  return call('HGET', box_key(known.box, 'meta'), 'name') or known.name
end

local function sight_of(name)
  local at, state, words = string.match(call('HGET', p .. 'sight', name) or '', '^(%d+) (%a+) (.*)$')
  return at and {at = tonumber(at), state = state, words = words}
end

local function is_online(name)
  local till = call('ZSCORE', p .. 'on', name)
  return till and tonumber(till) >= now
end

local function claim_of(gen)
  local at, name, holder = string.match(call('HGET', p .. 'claims', gen) or '', '^(%d+) (%S+) (.*)$')
  return at and {at = tonumber(at), name = name, holder = holder, gen = gen}
end

-- The claim with this generation if its session lives; `gone` is one that does not count.
local function live_claim(gen, gone)
  if gen == 0 or gen == gone then return nil end
  local claim = claim_of(gen)
  if not claim then return nil end
  -- A claim that came with a move does not know since when: its silence begins when it is first asked for.
  if claim.at == 0 then
    claim.at = now
    if not marked then call('HSET', p .. 'claims', gen, string.format('%.0f %s %s', now, claim.name, claim.holder)) end
  end
  local sight = sight_of(claim.name)
  return now - math.max(claim.at, sight and sight.at or 0) < DAY and claim or nil
end

-- The actor, by its standing: a session that lost its name is refused always, a guessed name that a live session
-- holds where mail or the name would be taken.
local function admit(takes)
  local name, standing, gen = ARGV[2], ARGV[3], tonumber(ARGV[4])
  me = look(name) or {name = name, box = 0, gen = 0}
  me.gone = standing == 'g' and gen or nil
  me.own = standing == 's' and me.gen == gen
  if standing == 's' and not me.own then refuse('namelost', name) end
  if takes and standing == 'g' and live_claim(me.gen, me.gone) then refuse('nameheld', name) end
end

-- Records the sign of life that the step carries.
local function show()
  if ARGV[5] == '' or marked then return end
  if not me.own and live_claim(me.gen, me.gone) then return end
  if me.box == 0 then me.box = mailbox(me.name) end
  local name = main_name(me)
  local before, online = sight_of(name), is_online(name)
  local state = ARGV[6] ~= '' and ARGV[6] or before and before.state or 'idle'
  call('HSET', p .. 'sight', name, string.format('%.0f %s %s', now, state, ARGV[5]))
  call('ZADD', p .. 'on', now + PRESENCE, name)
  if not online then announce('agent.online', nil, name) end
end

-- What every verb of an actor begins with.
local function begin(writes, takes)
  enter(writes)
  admit(takes)
  show()
end
