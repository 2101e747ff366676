-- claims: 1 'claim' with 2 name, 3 holder, 4 the claim that is gone or ''; 'holder' with 2 name; 'holders';
-- 'release' with 2 generation. Answers: granted (1 or 0), generation, holder; rows of generation and holder; nothing.
local what = arg(1)

local function claim()
  local name, holder, gone = arg(2), arg(3), tonumber(arg(4))
  local known = look(name)
  local held = known and known.gen > 0 and claim_of(known.gen)
  if held and held.holder == holder then return {1, known.gen, holder} end
  if held and live_claim(known.gen, gone) then return {0, known.gen, held.holder} end
  if held then
    end_claim(known.gen)
    known = look(name)
  end
  if known and known.forwards then
    call('HDEL', p .. 'names', name)
    known = nil
  end
  local gen = call('HINCRBY', KEYS[1], 'generation', 1)
  local box = mailbox(name)
  point(name, box, gen, false)
  call('HSET', p .. 'claims', gen, string.format('%.0f %s %s', now, name, holder))
  return {1, gen, holder}
end

local function live()
  local rows, claims = {}, call('HKEYS', p .. 'claims')
  if what == 'holder' then claims = {(look(arg(2)) or {gen = 0}).gen} end
  for _, gen in ipairs(claims) do
    local found = live_claim(tonumber(gen), nil)
    if found then rows[#rows + 1] = {found.gen, found.holder} end
  end
  return rows
end

return run(function()
  enter(what == 'claim' or what == 'release')
  if what == 'holder' or what == 'holders' then
    admit(false)
    show()
    return live()
  end
  if what == 'release' then
    local name = end_claim(tonumber(arg(2)))
    if name then
      local sight = sight_of(name)
      if sight then call('HSET', p .. 'sight', name, string.format('%.0f idle %s', sight.at, sight.words)) end
      announce('agent.offline', nil, name)
    end
    return {}
  end
  local answer = claim()
  me = look(ARGV[2]) or {name = ARGV[2], box = 0, gen = 0}
  me.own = answer[1] == 1 and ARGV[2] == arg(2)
  if ARGV[2] ~= arg(2) then admit(false) end
  show()
  return answer
end)
