-- Queues: a message joins them.

local function due_at(box, time) call('ZADD', p .. 'due', 'LT', time, box) end

-- The history indexes that a message stands in.
local function indexes(mail)
  local a, b = mail.from, mail.to
  if b < a then a, b = b, a end
  local keys = {p .. 'h:all', p .. 'h:a:' .. mail.from, p .. 'h:p:' .. a .. ':' .. b, p .. 'h:t:' .. mail.thread}
  if a ~= b then keys[5] = p .. 'h:a:' .. mail.to end
  return keys
end

-- Puts a message in the queue of those that wait.
local function enqueue(box, mail)
  local places = {all = mail.rank, ready = mail.rank, rexp = mail.expires}
  if mail.urgent == '1' then places.urg = mail.expires end
  for queue, score in pairs(places) do
    call('ZADD', box_key(box, queue), score, mail.id)
    keep(box_key(box, queue), mail.expires)
  end
  due_at(box, mail.expires)
end

local function count_arrival(box, by) call('HINCRBY', box_key(box, 'meta'), 'arrivals', by or 1) end
