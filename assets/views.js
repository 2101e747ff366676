// The views of mail: a conversation, a thread, one message; and the address where nothing is.
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
    if (afterPress(draw)) return;
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
