-- stats: answers the counts of the workspace, in the order of the names below.
local COUNTERS = {'sent', 'taken', 'expired', 'died', 'trimmed', 'deadTrimmed', 'deleted'}

return run(function()
  begin(false, false)
  settle_due(me.box)
  local waiting, leased, dead, expired, died, aged = 0, 0, 0, 0, 0, 0
  for _, name in ipairs(call('ZRANGE', p .. 'idx', 0, -1)) do
    local known = look(name)
    -- A mailbox with a key of the wrong type is left out: its own steps say what is wrong.
    if known and pcall(expect_box, known.box) then
      local counts = count(known.box)
      local kept = call('ZCOUNT', box_key(known.box, 'dead'), '(' .. (now - WEEK), '+inf')
      waiting, leased = waiting + counts.ready, leased + counts.leased
      dead, died = dead + kept + counts.dying, died + counts.dying
      aged = aged + call('ZCARD', box_key(known.box, 'dead')) - kept
      expired = expired + counts.expired + call('ZCOUNT', box_key(known.box, 'rexp'), '-inf', now)
    end
  end
  local sums = call('HMGET', KEYS[1], unpack(COUNTERS))
  for i = 1, #COUNTERS do sums[i] = tonumber(sums[i] or 0) end
  return {call('ZCARD', p .. 'idx'), call('ZCOUNT', p .. 'on', now, '+inf'), waiting, leased, dead, alive(),
          sums[1], sums[2], sums[3] + expired, sums[4] + died, sums[5], sums[6] + aged, sums[7]}
end)
