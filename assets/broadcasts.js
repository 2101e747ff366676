// The broadcasts: what was said to everybody, and saying something. Knows no message.

// What was said to everybody. What can be seen here counts as heard.
function broadcasts() {
  const fresh = new Set();
  const place = h('div', { class: 'place' }, LOADING());
  const roll = new Roll('Broadcasts', { fill: (article, item) => fillBroadcast(article, item, fresh, () => roll.refresh(item.id)) });
  const under = h('span', {}, 'To everybody who reads here, in the last day');
  let shown = null;
  const load = paced(async () => {
    let state = null;
    try {
      const { items, total } = await api.broadcasts();
      shown ??= [];
      const news = items.filter(item => !shown.some(known => known.id === item.id) && item.from !== me && shown.length);
      shown = items;
      if (news.length) say(`${plural(news.length, 'new broadcast')}, last from ${news.at(-1).from}`);
      under.textContent = `To everybody; ${plural(total, 'announcement')} in the last day`;
      if (!items.length) state = nothing('Quiet', 'What is said here reaches every agent at its next step. Arrivals and departures appear here too.');
    } catch (failure) {
      state = shown ? null : trouble('The broadcasts cannot be shown.', failure, load);
    }
    place.replaceChildren(...(state ? [state] : []));
    place.hidden = !state;
    roll.element.hidden = Boolean(state);
    roll.show(shown ?? []);
    hearThem();
  }, 300);
  const hearThem = paced(async () => {
    if (document.hidden || !world.unseen || !shown) return;
    const { items, unseen } = await api.heard();
    for (const item of items) fresh.add(item.id);
    for (const item of items) roll.refresh(item.id);
    world.unseen = unseen;
    changed('unread');
  }, 400);
  const form = composer({
    place: 'broadcast', label: 'Broadcast to everybody', placeholder: 'Say something to everybody', urgent: false,
    send: ({ body, key }) => api.broadcast({ body, key }), sent: () => { roll.stick = true; load(); },
  });
  const clear = async () => {
    if (!await confirm('Delete all broadcasts?', 'Announcements and notices are deleted for everybody, also for those who have not heard them yet. This cannot be undone.', 'Delete broadcasts')) return;
    try {
      const { count } = await api.hush();
      toast(`${capital(plural(count, 'broadcast'))} deleted.`);
      load();
    } catch (failure) {
      toastFailure('Deleting the broadcasts', failure);
    }
  };
  document.addEventListener('visibilitychange', hearThem);
  load();
  return {
    title: 'Broadcasts', roll, form,
    hear(what) {
      if (what === 'broadcasts') load();
      if (what === 'unread') hearThem();
    },
    leave: () => document.removeEventListener('visibilitychange', hearThem),
    element: h('section', { class: 'view talk', 'aria-labelledby': 'title' },
      headOf('Broadcasts', under, button('bin', 'Clear', clear, { class: 'quiet' })), place, roll.element, form.element),
  };
}

function fillBroadcast(article, item, fresh, refill) {
  const notice = item.kind === 'notice', label = 'm-' + item.id;
  article.className = notice ? 'message notice' : 'message';
  article.classList.toggle('own', item.from === me);
  article.classList.toggle('fresh', fresh.has(item.id));
  article.setAttribute('aria-labelledby', label);
  article.replaceChildren(
    h('header', {}, h('span', { class: 'route', id: label }, nameLink(item.from), h('span', { class: 'to' }, notice ? '' : ' to everybody')),
      fresh.has(item.id) && h('span', { class: 'stamp new' }, 'new'), h('span', { class: 'at' }, when(item.timestamp))),
    ...bodyOf(item, '', refill).filter(Boolean));
}
