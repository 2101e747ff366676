-- bury: 1 why, then pairs of id and nonce: makes dead letters of leased messages that cannot be read. Answers how many.
return run(function()
  begin(true, true)
  if me.box == 0 then return 0 end
  expect_box(me.box)
  local buried = 0
  for n = 2, #ARGV - 10, 2 do
    local id, nonce = arg(n), arg(n + 1)
    local mail = fetch(id)
    if mail and mail.box == tostring(me.box) and mail.nonce == nonce and mail.standing == 'leased' then
      bury(me.box, id, mail, arg(1), now, true)
      buried = buried + 1
    end
  end
  return buried
end)
