-- wake: 1 a name or '' for all events. Answers pairs of a stream and the last id in it, for a blocking read.
local function last(stream)
  local entry = call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
  return entry and entry[1] or '0-0'
end

return run(function()
  enter(false)
  local streams = {p .. 'ev'}
  if arg(1) ~= '' then
    local known = look(arg(1))
    streams = {known and p .. 'w:' .. known.box or p .. 'wn:' .. arg(1), p .. 'w:b'}
  end
  local pairs_ = {}
  for _, stream in ipairs(streams) do
    pairs_[#pairs_ + 1] = stream
    pairs_[#pairs_ + 1] = last(stream)
  end
  return pairs_
end)
