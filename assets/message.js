// How one message looks, and how mail for the person is taken once it has been seen.

const STANDING = {
  waiting: ['mail', () => 'waiting'],
  leased: ['open', record => record.takenBy ? `held by ${whom(record.takenBy)}` : 'held by a reader'],
  taken: ['done', record => record.takenBy ? `read by ${whom(record.takenBy)}` : 'read'],
  dead: ['dead', () => 'dead letter: given up after too many deliveries'],
  expired: ['dead', () => 'expired before anybody read it'],
};

const whom = name => name === me ? 'you' : name;

const link = (path, text, more) => h('a', { href: path, ...more }, text);
const inboxOf = name => '/inbox/' + part(name);
const nameLink = name => link(inboxOf(name), whom(name), { class: 'name', dir: 'ltr' });

// Where a message stands: an icon and words, for the eye and for the ear.
function standing(record) {
  const [sign, words] = STANDING[record.standing] ?? STANDING.waiting;
  const text = words(record);
  return h('span', { class: 'standing ' + record.standing, title: capital(text) }, icon(sign), h('span', {}, text),
    record.ackedAt && [' ', when(record.ackedAt)]);
}

// The line that says what a message answers.
function quote(record) {
  if (!record.replyTo) return null;
  const parent = world.records.get(record.replyTo);
  const text = parent ? [whom(parent.from), ': ', gist(parent.body)] : 'an earlier message';
  return link('/thread/' + record.thread, [h('span', { class: 'unseen' }, 'answers '), ...[text].flat()],
    { class: 'quote', 'data-act': 'quote' });
}

const LONG = 1_400;
const unfolded = new Set();

// The words of a message; long ones are folded.
function bodyOf(record, found, refill) {
  const lines = record.body.split('\n', 20).length;
  const folded = !unfolded.has(record.id) && (record.body.length > LONG || lines > 18);
  let text = record.body;
  if (folded) {
    text = text.split('\n').slice(0, 14).join('\n').slice(0, LONG - 200).trimEnd();
    if (/[\ud800-\udbff]$/.test(text)) text = text.slice(0, -1);
  }
  return [
    h('div', { class: 'body', dir: 'auto' }, visible(text, found), folded && '…'),
    folded && h('button', { type: 'button', class: 'more', 'data-act': 'more', onclick: () => {
      unfolded.add(record.id);
      refill();
    } }, `Show all ${plural(record.body.length, 'character')}`),
  ];
}

// Fills a message's article. `context`: `{refill, reply, remove, found, head}`.
function fillMessage(article, record, previous, context) {
  const fresh = world.mine.has(record.id) || reading.recent.has(record.id);
  const date = dayOf(Date.parse(record.timestamp));
  const newDay = context.days && (!previous || dayOf(Date.parse(previous.timestamp)) !== date);
  article.className = 'message';
  article.classList.toggle('fresh', fresh);
  article.classList.toggle('own', record.from === me);
  article.classList.toggle('answer', Boolean(record.replyTo) && previous?.thread === record.thread);
  const label = `m-${record.id}`;
  article.setAttribute('aria-labelledby', label);
  article.replaceChildren(...[
    newDay && h('p', { class: 'day' }, h('span', {}, date)),
    h('header', {},
      h('span', { class: 'route', id: label }, nameLink(record.from), h('span', { class: 'to' }, ' to '), nameLink(record.to)),
      record.urgent && h('span', { class: 'stamp' }, 'urgent'),
      fresh && h('span', { class: 'stamp new' }, 'new'),
      record.deliveries > 1 && h('span', { class: 'aside' }, `delivery ${record.deliveries}`),
      link('/m/' + record.id, when(record.timestamp), { class: 'at', 'data-act': 'at' })),
    quote(record),
    ...bodyOf(record, context.found, context.refill),
    h('footer', {}, standing(record), actions(record, context)),
  ].filter(Boolean));
}

function actions(record, { reply, remove }) {
  const act = (name, sign, label, run) => button(sign, label, run, { class: 'act', 'data-act': name });
  const removable = record.standing === 'waiting' || record.standing === 'leased';
  return h('span', { class: 'actions' },
    reply && act('reply', 'reply', 'Reply', () => reply(record)),
    h('a', { class: 'act', href: '/thread/' + record.thread, 'data-act': 'thread' }, icon('thread'), h('span', {}, 'Thread')),
    removable && remove && act('remove', 'bin', 'Delete', () => remove(record)));
}

// Asks, then deletes one message that waits.
async function removeMessage(record) {
  const sure = await confirm('Delete this message?',
    `“${gist(record.body, 120)}” is taken out of the mailbox of ${whom(record.to)} before it was read. This cannot be undone.`,
    'Delete message');
  if (!sure) return;
  try {
    await api.remove(record.to, record.id);
    forget(record.id);
    toast('The message was deleted.');
  } catch (failure) {
    toastFailure('Deleting the message', failure);
  }
}

// Takes mail for the person that can be seen: leased for a minute, then acknowledged. What another tab took meanwhile is not
// handed out again, and what could not be acknowledged comes back by itself.
const reading = {
  seen: new Set(),     // ids of unread messages in view
  busy: new Set(),
  recent: new Set(),   // taken while the view was open: they keep their mark until it is left
  observer: new IntersectionObserver(entries => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) reading.seen.add(target.dataset.id);
      else reading.seen.delete(target.dataset.id);
    }
    reading.take();
  }, { rootMargin: '-24px' }),

  take: paced(async () => {
    if (document.hidden || live.link === 'offline') return;
    const ids = [...reading.seen].filter(id => world.mine.has(id) && !reading.busy.has(id)).slice(0, 20);
    for (const id of ids) reading.busy.add(id);
    try {
      const taken = await Promise.all(ids.map(id => api.take(id, 60)));
      const receipts = taken.flatMap(answer => answer.messages.map(message => message.receipt));
      if (receipts.length) await api.ack(receipts);
      for (const id of ids) {
        world.mine.delete(id);
        reading.recent.add(id);
      }
      if (ids.length) {
        changed('unread');
        reading.take();
      }
    } finally {
      for (const id of ids) reading.busy.delete(id);
    }
  }, 400, 250),

  // Watches an article; called again for the same one it looks anew.
  watch(article) {
    reading.observer.unobserve(article);
    if (world.mine.has(article.dataset.id)) reading.observer.observe(article);
  },
};
document.addEventListener('visibilitychange', () => reading.take());
listeners.add(what => what === 'trouble' && !world.trouble && reading.take());
