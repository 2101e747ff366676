-- Names that forward to a mailbox, and the end of a claim.

-- The names that forward to a mailbox.
local function forwards_of(box)
  local names = {}
  for name in string.gmatch(call('HGET', box_key(box, 'meta'), 'old') or '', '%S+') do
    local known = look(name)
    if known and known.forwards and known.box == box then names[#names + 1] = known end
  end
  return names
end

local function set_forwards(box, names) call('HSET', box_key(box, 'meta'), 'old', table.concat(names, ' ')) end

-- Takes the names that forward to a mailbox away: those of this claim, or all.
local function drop_forwards(box, gen)
  local kept = {}
  for _, known in ipairs(forwards_of(box)) do
    if gen and known.gen ~= gen then kept[#kept + 1] = known.name else call('HDEL', p .. 'names', known.name) end
  end
  set_forwards(box, kept)
end

-- Makes a name forward to a mailbox.
local function forward(name, box, gen)
  local names = {name}
  for _, known in ipairs(forwards_of(box)) do
    if known.name ~= name then names[#names + 1] = known.name end
  end
  point(name, box, gen, true)
  set_forwards(box, names)
end

-- Ends a claim with its forwarding names. The name keeps the number, so that a session that lost it stays refused.
local function end_claim(gen)
  local claim = claim_of(gen)
  if not claim then return nil end
  call('HDEL', p .. 'claims', gen)
  local known = look(claim.name)
  if known and known.gen == gen then
    drop_forwards(known.box, gen)
    call('ZREM', p .. 'on', claim.name)
    return claim.name
  end
end
