-- cleanup: the one name to look at or nothing, generations of claims that are gone. Answers the names removed.
local only, gone = arg(1), {}
for n = 2, #ARGV - 10 do gone[tonumber(arg(n))] = true end

local function is_idle(known)
  if is_online(known.name) then return false end
  if not gone[known.gen] and live_claim(known.gen, nil) then return false end
  if not pcall(expect_box, known.box) then return false end
  local counts = count(known.box)
  local dead = call('ZCOUNT', box_key(known.box, 'dead'), '(' .. (now - WEEK), '+inf')
  return counts.ready + counts.leased + counts.dying + dead == 0
end

local function remove(known)
  end_claim(known.gen)
  drop_forwards(known.box, nil)
  call('HDEL', p .. 'names', known.name)
  call('HDEL', p .. 'sight', known.name)
  for _, index in ipairs({'idx', 'on'}) do call('ZREM', p .. index, known.name) end
  for _, id in ipairs(call('ZRANGE', box_key(known.box, 'all'), 0, -1)) do expire(known.box, id, fetch(id)) end
  for _, id in ipairs(call('ZRANGE', box_key(known.box, 'dead'), 0, -1)) do drop_dead(known.box, id) end
  for _, queue in ipairs(QUEUES) do call('DEL', box_key(known.box, queue)) end
  call('DEL', box_key(known.box, 'meta'), own_key(known.box), p .. 'w:' .. known.box)
  call('ZREM', p .. 'due', known.box)
end

return run(function()
  begin(true, false)
  settle_due(me.box)
  local removed = {}
  for _, name in ipairs(call('ZRANGE', p .. 'idx', 0, -1)) do
    local known = (only == '' or only == name) and look(name)
    if known and is_idle(known) then
      remove(known)
      removed[#removed + 1] = name
    end
  end
  return removed
end)
