-- history: 1 agent or '', 2 with whom or '', 3 thread or '', 4 before which id or '', 5 how many. Answers messages,
-- newest first.
-- find: 1 to 4 as '', 5 '0', 6 the id. Answers one message or none.
local agent, other, thread, before, limit = arg(1), arg(2), arg(3), arg(4), tonumber(arg(5))

local function index()
  if thread ~= '' then return p .. 'h:t:' .. thread end
  if agent == '' then return p .. 'h:all' end
  if other == '' then return p .. 'h:a:' .. agent end
  local a, b = agent, other
  if b < a then a, b = b, a end
  return p .. 'h:p:' .. a .. ':' .. b
end

-- Whether it is of these agents and not gone.
local function fits(mail)
  local of = agent == '' or mail.from == agent or mail.to == agent
  local with = other == '' or (mail.from == agent and mail.to == other) or (mail.from == other and mail.to == agent)
  mail.standing = standing_of(mail)
  return of and with and mail.standing
end

local function walk()
  local rows, below, key, older = {}, '+inf', index(), nil
  if before ~= '' then
    local seq = call('ZSCORE', p .. 'h:all', before)
    -- Of a message that is gone its id tells what is older.
    if seq then below = '(' .. seq else older = before end
  end
  while true do
    local page = call('ZREVRANGEBYSCORE', key, below, '-inf', 'WITHSCORES', 'LIMIT', 0, 50)
    for i = 1, #page, 2 do
      below = '(' .. page[i + 1]
      local mail = (not older or page[i] < older) and fetch(page[i], true)
      if mail and fits(mail) then rows[#rows + 1] = shown(mail) end
      -- An entry whose record is gone is worth a write now: the next reader does not meet it.
      if not mail and not marked and call('EXISTS', record_key(page[i])) == 0 then call('ZREM', key, page[i]) end
      if #rows == limit then return rows end
    end
    if #page < 100 then return rows end
  end
end

return run(function()
  begin(false, false)
  settle_due(me.box)
  if limit > 0 then return walk() end
  local mail = fetch(arg(6), true)
  if mail then mail.standing = standing_of(mail) end
  mail = mail and mail.standing and mail
  return mail and {shown(mail)} or {}
end)
