-- delete and clear: 1 an id, or '' for all. Answers how many waiting or leased messages were deleted.

-- Deletes one of the mailbox's; what had expired or is no longer there is not counted.
local function delete(id)
  local mail = fetch(id)
  local live = is_live(me.box, id) or call('ZSCORE', box_key(me.box, 'lease'), id)
  if not live then return 0 end
  leave(me.box, id)
  if mail then forget(mail) else call('DEL', record_key(id)) end
  add('deleted', 1)
  return 1
end

return run(function()
  begin(true, true)
  if me.box > 0 then expect_box(me.box) end
  settle_due(me.box)
  if me.box == 0 then return 0 end
  local ids, deleted = {arg(1)}, 0
  if arg(1) == '' then ids = call('ZRANGE', box_key(me.box, 'all'), 0, -1) end
  for _, id in ipairs(ids) do deleted = deleted + delete(id) end
  if deleted > 0 then announce('cleared', arg(1), me.name) end
  return deleted
end)
