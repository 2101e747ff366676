-- agents: 1 how many, 2 after which name or ''. Answers rows of name, online, sight, waiting; the total; how many online.

-- Live mail that waits; 0 where the mailbox cannot tell: its own steps say what is wrong.
local function waiting(value)
  local done, ready = pcall(function()
    local box = string.match(value, '^(%d+)')
    if quiet then return call('ZCOUNT', box_key(box, 'rexp'), '(' .. now, '+inf') end
    return count(box).ready
  end)
  return done and ready or 0
end

return run(function()
  begin(false, false)
  settle_due(me.box)
  local from = arg(2) == '' and '-' or '(' .. arg(2)
  local names, rows = call('ZRANGEBYLEX', p .. 'idx', from, '+', 'LIMIT', 0, arg(1)), {}
  if #names > 0 then
    local boxes, sights = call('HMGET', p .. 'names', unpack(names)), call('HMGET', p .. 'sight', unpack(names))
    for i, name in ipairs(names) do
      rows[i] = {name, is_online(name) and 1 or 0, sights[i], waiting(boxes[i])}
    end
  end
  return {rows, call('ZCARD', p .. 'idx'), call('ZCOUNT', p .. 'on', now, '+inf')}
end)
