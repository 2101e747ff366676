-- census: 1 behind which place. Answers names, broadcasts, keys, how many messages are on this page, and where to go on.
return run(function()
  read_meta()
  local messages = 0
  local page = call('ZRANGEBYSCORE', p .. 'h:all', '(' .. arg(1), '+inf', 'WITHSCORES', 'LIMIT', 0, 5000)
  for i = 1, #page, 2 do
    local mail = fetch(page[i])
    if mail and mail.bad ~= '1' then messages = messages + 1 end
  end
  return {call('HLEN', p .. 'names'), call('ZCARD', p .. 'b:a') + call('ZCARD', p .. 'b:n'),
          call('ZCOUNT', p .. 'keys', '(' .. now, '+inf'), messages, #page == 10000 and page[#page] or false}
end)
