-- census: answers how many names and keys there are. A key is kept an hour beyond its time.
return run(function()
  read_meta()
  return {call('HLEN', p .. 'names'), call('ZCOUNT', p .. 'keys', '(' .. (now - HOUR), '+inf')}
end)
