-- events: 1 the cursor's epoch or '', 2 its number, 3 how many.
-- Answers epoch, the number to go on from, whether the cursor was no place in this stream, events (number and fields).
return run(function()
  begin(false, false)
  settle_due(me.box)
  local last = tonumber(call('HGET', KEYS[1], 'event') or 0)
  local after = tonumber(arg(2))
  local epoch = meta.epoch or ''
  if arg(1) == '' then return {epoch, last, 0, {}} end
  local first = call('XRANGE', p .. 'ev', '-', '+', 'COUNT', 1)[1]
  local oldest = first and tonumber(string.match(first[1], '^%d+')) or last + 1
  if arg(1) ~= epoch or after > last or after < oldest - 1 then return {epoch, last, 1, {}} end
  local rows = {}
  local behind = '(' .. string.format('%.0f', after) .. '-0'
  for i, entry in ipairs(call('XRANGE', p .. 'ev', behind, '+', 'COUNT', arg(3))) do
    rows[i] = {tonumber(string.match(entry[1], '^%d+')), unpack(entry[2])}
    after = rows[i][1]
  end
  return {epoch, after, 0, rows}
end)
