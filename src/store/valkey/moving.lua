-- A move's steps: 1 what, 2 its token, 3 hold in ms or the new address.
-- `phase` answers the phase, its token and the address; `mark`, `unmark`, `done`, `fill_start` and `fill_done` nothing.
local what, token = arg(1), arg(2)

local function set(phase, more, value) call('HSET', KEYS[1], 'phase', phase, 'token', token, more, value) end

local function mine(phase) return phase_now() == phase and meta.token == token end

local function is_empty()
  for _, key in ipairs({'names', 'h:all', 'b:exp', 'keys'}) do
    if call('EXISTS', p .. key) == 1 then return false end
  end
  return true
end

local steps = {}

function steps.phase() return {phase_now(), meta.token, meta.url} end

function steps.mark()
  local phase = phase_now()
  if phase ~= 'open' and not mine('moving') then refuse(phase, meta.url) end
  if not meta.schema then found() end
  set('moving', 'until', string.format('%.0f', now + arg(3)))
  return {}
end

function steps.unmark()
  if meta.phase == 'moving' and meta.token == token then call('HDEL', KEYS[1], 'phase', 'token', 'until') end
  return {}
end

-- Those who wait are woken, so that they learn of it at once.
function steps.done()
  if mine('moved') then return {} end
  if not mine('moving') then refuse('marklost') end
  set('moved', 'url', arg(3))
  wake(p .. 'w:b')
  announce('cleared')
  return {}
end

function steps.fill_start()
  local phase = phase_now()
  if phase == 'moving' or (phase == 'open' and not is_empty()) then refuse('occupied') end
  call('DEL', KEYS[1])
  found()
  set('filling', 'filled', '')
  return {}
end

function steps.fill_done()
  if meta.phase ~= 'filling' and meta.filled == token then return {} end
  if not mine('filling') then refuse('notfilling') end
  call('HDEL', KEYS[1], 'phase', 'token')
  call('HSET', KEYS[1], 'filled', token)
  return {}
end

return run(function()
  read_meta()
  return steps[what]()
end)
