-- agents: 1 how many, 2 after which name or ''. Answers rows of name, online, sight, waiting; the total; how many online.

-- Live mail that waits; 0 where the mailbox cannot tell: its own steps say what is wrong.
local function waiting(known)
  local done, counts = pcall(count, known.box)
  return done and counts.ready or 0
end

return run(function()
  begin(false, false)
  settle_due(me.box)
  local from = arg(2) == '' and '-' or '(' .. arg(2)
  local rows = {}
  for i, name in ipairs(call('ZRANGEBYLEX', p .. 'idx', from, '+', 'LIMIT', 0, arg(1))) do
    local known = look(name)
    rows[i] = {name, is_online(name) and 1 or 0, call('HGET', p .. 'sight', name), known and waiting(known) or 0}
  end
  return {rows, call('ZCARD', p .. 'idx'), call('ZCOUNT', p .. 'on', now, '+inf')}
end)
