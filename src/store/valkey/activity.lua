-- activity: 1 how many hours. Answers how many messages of history were sent in each of them, the oldest first.

-- How many entries of history are not younger than a time. Ids begin with their time, and lie in the order of arrival.
local function older(time)
  local edge = string.format('%08x-%04x-g', math.floor(time / 65536), time % 65536)
  local low, high = 0, call('ZCARD', p .. 'h:all')
  while low < high do
    local middle = math.floor((low + high) / 2)
    if call('ZRANGE', p .. 'h:all', middle, middle)[1] < edge then low = middle + 1 else high = middle end
  end
  return low
end

return run(function()
  begin(false, false)
  settle_due(me.box)
  local hours, counts, below = tonumber(arg(1)), {}, nil
  for i = 0, hours do
    local upto = older(now - (hours - i) * HOUR)
    if i > 0 then counts[i] = upto - below end
    below = upto
  end
  return counts
end)
