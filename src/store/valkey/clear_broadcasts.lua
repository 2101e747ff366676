-- clear_broadcasts: deletes all broadcasts and answers how many were alive.
return run(function()
  begin(true, false)
  settle_due(0)
  local ids = call('ZRANGEBYSCORE', p .. 'b:exp', '(' .. now, '+inf')
  for _, id in ipairs(call('ZRANGE', p .. 'b:exp', 0, -1)) do silence(id) end
  if #ids > 0 then
    announce('cleared')
    wake(p .. 'w:b')
  end
  return #ids
end)
