-- wipe: 1 the move's token, 2 a scan position, 3 the prefix as a pattern. Removes a part of all keys but `meta` from a
-- store that is to be filled, and answers where to go on ('0' at the end).
return run(function()
  read_meta()
  if meta.phase ~= 'filling' or meta.token ~= arg(1) then refuse('notfilling') end
  local page = call('SCAN', arg(2), 'MATCH', arg(3), 'COUNT', 1000)
  for _, key in ipairs(page[2]) do
    if key ~= KEYS[1] then call('UNLINK', key) end
  end
  return page[1]
end)
