// The views: a conversation, a thread, one message, the broadcasts, the search, and the address where nothing is.
//
// A view is `{title, element, roll?, feed?, form?, leave?, hear?}`; what shows it, remembers its place and gives it the
// keys is in main.js.

// A view's head: a heading, what stands under it, and what can be done.
const headOf = (title, under, ...actions) => h('header', { class: 'head' },
  h('div', {}, h('h1', { tabindex: '-1', id: 'title' }, title), h('p', { class: 'under' }, under)),
  h('div', { class: 'row' }, actions));

const nothing = (title, text, ...more) =>
  h('div', { class: 'nothing' }, icon('postmark', 'postmark'), h('h2', {}, title), h('p', {}, text), more);

const LOADING = () => h('p', { class: 'nothing aside', role: 'status' }, 'Fetching…');

// Ties a feed to a roll: shows what comes, says what failed, what is missing, and takes mail that is seen.
function messageView({ feed, label, context = {}, empty, arrange = items => items }) {
  const place = h('div', { class: 'place' });
  const refill = id => roll.refresh(id);
  const roll = new Roll(label, {
    older: () => feed.older(),
    fill: (article, record, previous) => {
      fillMessage(article, record, previous, { days: true, remove: removeMessage, ...context, refill: () => refill(record.id) });
      reading.watch(article);
    },
  });
  function draw() {
    const state = feed.failure && !feed.items.length ? trouble('The mail cannot be shown.', feed.failure, () => feed.refresh())
      : !feed.loaded ? LOADING() : feed.items.length ? null : empty();
    place.replaceChildren(...(state ? [state] : []));
    place.hidden = !state;
    roll.element.hidden = Boolean(state);
    roll.show(arrange(feed.items), { done: feed.done });
  }
  const hear = (what, detail) => {
    if (what === 'record') refill(detail);
    if (what === 'unread') for (const [id, node] of roll.nodes) {
      if (node.classList.contains('fresh') !== (world.mine.has(id) || reading.recent.has(id))) refill(id);
    }
    if (what === 'feed' && detail.feed === feed) {
      draw();
      const others = detail.fresh.filter(record => record.from !== me);
      if (view.shown && others.length) say(`${plural(others.length, 'new message')}, last from ${others.at(-1).from}`);
      view.shown = true;
    }
  };
  const view = {
    roll, feed, hear, draw, shown: false,
    content: [place, roll.element],
    leave() { world.feeds.delete(feed); reading.seen.clear(); reading.recent.clear(); reading.observer.disconnect(); },
  };
  world.feeds.add(feed);
  draw();
  feed.refresh();
  return view;
}

// What is known of an agent, in a line.
function underName(name) {
  const agent = world.agents.get(name);
  if (name === me) return 'Mail that agents send to you, and what you sent. What you see here counts as read.';
  if (!agent) return 'Nobody has acted under this name yet; mail for it waits.';
  const parts = [h('span', {}, lampOf(agent), ' ', STATE[agent.state])];
  if (!agent.online && agent.lastSeen) parts.push(['last seen ', when(agent.lastSeen)]);
  if (agent.messageCount) parts.push(`${agent.messageCount} waiting`);
  for (const what of [agent.project, agent.client, agent.host]) if (what) parts.push(what);
  return parts.flatMap((part, i) => i ? [' · ', part] : [part]).flat();
}

// All mail of an agent, or what went between it and the person.
function conversation(name, ours) {
  const mine = name === me;
  const feed = new Feed(ours ? { agent: me, with: name } : { agent: name });
  const reply = record => {
    form.answer(record);
    form.focus();
  };
  const view = messageView({
    feed, label: `Messages of ${whom(name)}`, context: { reply },
    empty: () => mine
      ? nothing('No mail for you', `Agents write to you with “postino send ${me} …”, or by answering what you send.`,
        button('pen', 'New message', () => writeNew(), { class: 'plain' }))
      : nothing('No mail here', ours ? `You and ${name} have not written to each other in the last day.`
        : `${name} has neither sent nor received anything in the last day. What you write below waits in its mailbox.`),
  });
  const form = composer({
    place: 'to.' + name, label: mine ? 'Your answer' : `Message to ${name}`, placeholder: mine ? 'Your answer' : `Write to ${name}`,
    target: () => ({ to: name }), send: api.send, onlyAnswers: mine,
    sent: (answer, letter) => {
      feed.refresh();
      view.roll.stick = true;
      if (letter.to === name || mine) say(`Sent; ${answer.recipient}`);
      else toast(sentNote(answer, letter));
    },
  });
  const under = h('span', {}, underName(name));
  const choice = (label, href, on) => h('a', { href, class: 'tab', 'aria-current': on && 'true' }, label);
  const element = h('section', { class: 'view talk', 'aria-labelledby': 'title' },
    headOf(mine ? 'Your mail' : name, under,
      !mine && h('nav', { class: 'tabs', 'aria-label': 'Which mail' },
        choice('Everything', inboxOf(name), !ours), choice('With you', inboxOf(name) + '?with=you', ours)),
      button('bin', 'Clear', () => clearMailbox(name, feed), { class: 'quiet' })),
    view.content, form.element);
  const hear = (what, detail) => {
    view.hear(what, detail);
    if (what === 'agents') under.replaceChildren(...[underName(name)].flat());
  };
  return { ...view, title: mine ? 'Your mail' : name, element, form, hear, reply };
}

// Asks, then deletes what waits in a mailbox.
async function clearMailbox(name, feed) {
  const count = world.agents.get(name)?.messageCount ?? (name === me ? world.mine.size : 0);
  const sure = await confirm(`Clear the mailbox of ${whom(name)}?`,
    `${count ? capital(plural(count, 'message')) : 'Everything'} waiting or held there, read or not, is deleted for good. What was read before stays in history.`,
    'Clear mailbox');
  if (!sure) return;
  try {
    const answer = await api.clear(name);
    toast(`${capital(plural(answer.count, 'message'))} deleted.`);
    feed.reload();
    fetchMine();
  } catch (failure) {
    toastFailure('Clearing the mailbox', failure);
  }
}

// A reply chain, with answers under what they answer.
function thread(id) {
  const feed = new Feed({ thread: id }, 200);
  const reply = record => { form.answer(record); form.focus(); };
  const last = () => feed.items.at(-1);
  const view = messageView({
    feed, label: 'Messages of the thread', context: { reply }, arrange: asTree,
    empty: () => lost(),
  });
  const fill = view.roll.fill;
  view.roll.fill = (article, record, previous) => {
    fill(article, record, previous);
    article.style.setProperty('--depth', Math.min(5, depth(record)));
  };
  const form = composer({
    place: 'thread.' + id, label: 'Answer in this thread', placeholder: 'Answer',
    target: () => ({ to: counterpart(last()), replyTo: last().id }), send: api.send,
    sent: () => { feed.refresh(); view.roll.stick = true; },
  });
  const title = h('span', {}, 'Thread'), under = h('span', {});
  const hear = (what, detail) => {
    view.hear(what, detail);
    if (what !== 'feed' || detail.feed !== feed) return;
    form.element.hidden = !feed.items.length;
    if (!feed.items.length) return;
    title.textContent = gist(feed.items[0].body, 60);
    const names = [...new Set(feed.items.flatMap(item => [item.from, item.to]))];
    under.replaceChildren(plural(feed.items.length, 'message') + ' between ', ...names.flatMap((name, i) => i ? [', ', nameLink(name)] : [nameLink(name)]));
  };
  form.element.hidden = true;
  const element = h('section', { class: 'view talk thread', 'aria-labelledby': 'title' }, headOf(title, under), view.content, form.element);
  return { ...view, title: 'Thread', element, form, hear, reply };
}

// Answers right behind what they answer.
function asTree(items) {
  const known = new Set(items.map(item => item.id)), answers = new Map();
  for (const item of items) {
    const parent = known.has(item.replyTo) ? item.replyTo : null;
    answers.set(parent, [...(answers.get(parent) ?? []), item]);
  }
  const under = id => (answers.get(id) ?? []).flatMap(item => [item, ...under(item.id)]);
  return under(null);
}

// How many answers deep a message is.
function depth(record) {
  let deep = 0;
  for (let at = record; at?.replyTo && deep < 5; at = world.records.get(at.replyTo)) deep++;
  return deep;
}

const moment = (label, time, by) => time && [h('dt', {}, label), h('dd', {}, when(time), ' ', h('span', { class: 'aside' }, exact.format(Date.parse(time))), by && [' by ', nameLink(by)])];

// One message with its whole story.
function message(id) {
  const place = h('div', { class: 'sheet' }, LOADING());
  let record = null;
  const reply = () => go('/thread/' + record.thread);
  async function load() {
    try {
      record = keep(await api.message(id));
      draw();
    } catch (failure) {
      place.replaceChildren(failure.status === 404 || failure.status === 400 ? lost() : trouble('The message cannot be shown.', failure, load));
    }
  }
  function draw() {
    const article = h('article', { 'data-id': id, tabindex: '0' });
    fillMessage(article, record, null, { refill: draw, reply, remove: removeMessage });
    unfolded.add(id);
    place.replaceChildren(article, h('dl', { class: 'story' },
      h('dt', {}, 'Stands'), h('dd', {}, standing(record)),
      moment('Sent', record.timestamp, record.from), moment('Handed over', record.takenAt, record.takenBy), moment('Done with', record.ackedAt),
      h('dt', {}, 'Came by'), h('dd', {}, VIA[record.via] ?? record.via),
      h('dt', {}, 'Deliveries'), h('dd', {}, String(record.deliveries ?? 0)),
      h('dt', {}, 'Id'), h('dd', {}, h('code', {}, record.id))),
    h('p', { class: 'row' }, h('a', { class: 'plain', href: '/thread/' + record.thread }, icon('thread'), 'The thread'),
      h('a', { class: 'plain', href: inboxOf(counterpart(record)) }, icon('mail'), `Mail of ${counterpart(record)}`)));
    reading.watch(article);
  }
  unfolded.add(id);
  const hear = (what, detail) => { if (record && ((what === 'record' && detail === id) || what === 'unread')) draw(); };
  load();
  return {
    title: 'Message', hear, reply,
    again: () => record || load(),
    element: h('section', { class: 'view', 'aria-labelledby': 'title' }, headOf('Message', 'As it was sent, and what became of it'), h('div', { class: 'scroll' }, place)),
    leave() { reading.seen.clear(); reading.recent.clear(); reading.observer.disconnect(); },
  };
}

const VIA = { cli: 'command line', hook: 'a hook', mcp: 'MCP', http: 'HTTP', gui: 'this page' };

const lost = () => nothing('Nothing at this address', 'A message is kept for its time to live, a day unless set otherwise; then it is gone. The address may also be mistyped.',
  h('p', { class: 'row' }, link('/', 'Overview'), link('/search', 'Search')));

function missing() {
  return { title: 'Not found', element: h('section', { class: 'view', 'aria-labelledby': 'title' }, headOf('Not found', location.pathname), h('div', { class: 'scroll' }, lost())) };
}

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

const hay = new WeakMap();

// The words of a message to look in.
function hayOf(record) {
  let text = hay.get(record);
  if (text === undefined) hay.set(record, text = `${record.from} ${record.to} ${record.id} ${record.body}`.toLowerCase());
  return text;
}

// Looks through what is loaded, and meanwhile loads the rest of history.
function search(asked) {
  const feed = new Feed({}, 200);
  const field = h('input', { type: 'search', id: 'search', value: asked, autocomplete: 'off', spellcheck: 'false', placeholder: 'Words, a name, an id' });
  const count = h('p', { class: 'under', role: 'status' });
  const context = { days: true, found: '' };
  const roll = new Roll('Search results', {
    newestFirst: true,
    fill: (article, record, previous) => fillMessage(article, record, previous, { ...context, refill: () => roll.refresh(record.id) }),
  });
  const none = h('div', { class: 'place' });
  let sorted = [], version = -1;

  function look() {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (version !== world.version) {
      sorted = [...world.records.values()].sort((a, b) => a.id < b.id ? 1 : -1);
      version = world.version;
    }
    const results = words.length ? sorted.filter(record => words.every(word => hayOf(record).includes(word))) : [];
    if (context.found !== (words[0] ?? '')) {
      context.found = words[0] ?? '';
      roll.empty();
    }
    roll.show(results);
    const of = `${plural(sorted.length, 'message')}${feed.done ? '' : ' so far'}`;
    count.textContent = words.length ? `${plural(results.length, 'result')} in ${of}` : `Looks through ${feed.done ? of : 'all mail of the last day'}`;
    const state = feed.failure ? trouble('Not all mail could be searched.', feed.failure, () => fetchAll())
      : words.length && !results.length && feed.done ? nothing('Nothing found', 'No message of the last day contains all of these words.') : null;
    none.replaceChildren(...(state ? [state] : []));
    none.hidden = !state;
  }

  let left = false, fetching = false;
  async function fetchAll() {
    if (fetching) return;
    fetching = true;
    if (!feed.loaded) await feed.refresh();
    while (!left && !feed.done && !feed.failure) await feed.older();
    fetching = false;
  }
  const lookSoon = paced(async () => look(), 250);
  const keepUrl = paced(async () => {
    if (left) return;
    const url = field.value ? '/search?q=' + part(field.value) : '/search';
    if (location.pathname + location.search !== url) history.replaceState(history.state, '', url);
  }, 300, 300);
  field.addEventListener('input', () => { look(); keepUrl(); });
  world.feeds.add(feed);
  fetchAll();
  look();
  return {
    title: 'Search', roll, focusFirst: () => field,
    hear(what, detail) {
      if (what === 'feed' && detail.feed === feed) {
        lookSoon();
        if (feed.loaded && !feed.failure) fetchAll();
      }
      if (what === 'record') roll.refresh(detail);
    },
    leave() { left = true; world.feeds.delete(feed); },
    element: h('section', { class: 'view talk', 'aria-labelledby': 'title' },
      h('header', { class: 'head searching' }, h('div', {}, h('h1', { id: 'title', tabindex: '-1' }, h('label', { for: 'search' }, 'Search')), count), field),
      none, roll.element),
  };
}
