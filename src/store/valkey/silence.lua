-- The end of a broadcast.

-- Removes a broadcast for good.
local function silence(id)
  local box = call('HGET', p .. 'y:' .. id, 'box')
  if box then call('ZREM', own_key(box), id) end
  for _, key in ipairs({'b:a', 'b:n', 'b:exp'}) do call('ZREM', p .. key, id) end
  call('DEL', p .. 'y:' .. id)
end
