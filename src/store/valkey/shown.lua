-- A message as it is told.

-- A record as it goes to the caller: its id and its fields in their order.
local function shown(mail)
  local row = {mail.id}
  for i, field in ipairs(FIELDS) do
    local value = mail[field]
    row[i + 1] = type(value) == 'number' and string.format('%.0f', value) or value or false
  end
  return row
end

-- Where a message stands, also when nobody has moved it there yet; nil when it is gone.
local function standing_of(mail)
  if mail.standing == 'dead' then return tonumber(mail.died) + WEEK > now and 'dead' or nil end
  if mail.standing ~= 'leased' then return mail.expires > now and mail.standing or nil end
  if ended(mail) == now then return 'leased' end
  local becomes = fate(mail)
  return becomes == 'ready' and 'waiting' or becomes == 'dead' and 'dead' or nil
end
