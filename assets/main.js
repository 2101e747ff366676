// Starts the page: addresses and views, back and forward, the keys, and the wire. Knows every view, and no message.

let view = null;
let place = null;     // the key of the shown entry of the browser's history

// The view of an address.
function viewOf({ pathname, searchParams }) {
  const [, kind, what, more] = pathname.split('/').map(piece => { try { return decodeURIComponent(piece); } catch { return ''; } });
  if (more !== undefined) return missing();
  if (kind === '' && what === undefined) return overview();
  if (kind === 'inbox' && NAME.test(what)) return conversation(what, what !== me && searchParams.get('with') === 'you');
  if (kind === 'm' && ID.test(what)) return message(what);
  if (kind === 'thread' && ID.test(what)) return thread(what);
  if (kind === 'broadcasts' && what === undefined) return broadcasts();
  if (kind === 'search' && what === undefined) return search(searchParams.get('q') ?? '');
  return missing();
}

const hearing = (what, detail) => view?.hear?.(what, detail);

// Shows the view of the current address, and puts the reader back where they were in it.
function enter(memory, first = false) {
  view?.leave?.();
  view = null;
  view = viewOf(new URL(location));
  document.body.dataset.title = `${view.title} · postino`;
  $('main').replaceChildren(view.element);
  showRail(false);
  drawUnread();
  drawAgents();
  if (memory) restore(view, memory);
  else if (!first || view.focusFirst) (view.focusFirst?.() ?? $('title')).focus({ preventScroll: true });
  if (view.roll) view.roll.onscroll = rememberSoon;
}

// Goes to an address of the page.
function go(href) {
  remember();
  place = token();
  history.pushState({ key: place }, '', href);
  enter(null);
}

// Keeps where the reader is: the message at the top of the window, and what has the focus.
function remember() {
  if (!view || !place) return;
  const focus = document.activeElement;
  const memory = {
    anchor: view.roll?.stick && !view.roll.newestFirst ? null : view.roll?.anchor(),
    scroll: view.element.querySelector('.scroll')?.scrollTop,
    focus: focus.closest?.('#main article')?.dataset.id ?? (focus.id || null),
  };
  try { sessionStorage.setItem('place.' + place, JSON.stringify(memory)); } catch { /* not kept */ }
}
const rememberSoon = paced(async () => remember(), 400, 300);

function remembered() {
  try { return JSON.parse(sessionStorage.getItem('place.' + place)); } catch { return null; }
}

// Puts the reader back: loads as far as the message that was at the top, shows it there, and gives the focus back.
async function restore(shown, { anchor, scroll, focus }) {
  const still = () => view === shown;
  if (anchor && shown.feed) {
    shown.roll.stick = false;
    while (still() && !shown.feed.loaded && !shown.feed.failure) await pause(20, new AbortController().signal);
    while (still() && !shown.feed.items.some(item => item.id === anchor.id) && !shown.feed.done && !shown.feed.failure) await shown.feed.older();
  }
  for (let tries = 0; still() && tries < 60; tries++) {
    const roll = shown.roll, scroller = shown.element.querySelector('.scroll');
    if (anchor && roll) roll.reveal(anchor.id, anchor.offset);
    if (scroll && scroller) scroller.scrollTop = scroll;
    const target = focus && (document.querySelector(`#main article[data-id="${CSS.escape(focus)}"]`) ?? $(focus));
    target?.focus({ preventScroll: true });
    const there = (!anchor || roll?.nodes.has(anchor.id)) && (!scroll || !scroller || Math.abs(scroller.scrollTop - scroll) < 4);
    if (there && (!focus || target)) return;
    await pause(50, new AbortController().signal);
  }
}

// The next agent with mail for the person, in the order of the rail.
function nextUnread() {
  const senders = [...mineBySender().keys()].sort((a, b) => byName({ name: a }, { name: b }));
  const here = /^\/inbox\/([^/]+)$/.exec(location.pathname)?.[1];
  const next = senders.find(name => !here || name.toLowerCase() > here.toLowerCase()) ?? senders[0];
  if (next) go(inboxOf(next));
  else if (world.unseen) go('/broadcasts');
  else toast('Nothing is unread.');
}

// j and k where there is no list of messages: through the agents.
function moveInRail(by) {
  const rows = [...document.querySelectorAll('#places a, #agents a')];
  const at = rows.indexOf(document.activeElement);
  rows[Math.max(0, Math.min(rows.length - 1, at + by))]?.focus();
}

function replyHere() {
  const record = view.roll?.current ?? view.roll?.items.at(view.roll.newestFirst ? 0 : -1);
  if (record && view.reply) view.reply(record);
  else if (record) go('/thread/' + record.thread);
  else if (view.reply) view.reply();
  else view.form?.focus();
}

function openHere(event) {
  const article = event.target.closest?.('article');
  if (event.target !== article || !article || !view.roll) return false;
  const record = view.roll.current;
  if (record?.thread) go('/thread/' + record.thread);
  return Boolean(record?.thread);
}

const ACTS = {
  j: () => view.roll?.items.length ? view.roll.move(1) : moveInRail(1),
  k: () => view.roll?.items.length ? view.roll.move(-1) : moveInRail(-1),
  r: replyHere,
  c: () => writeNew(),
  n: nextUnread,
  '/': () => { if (location.pathname !== '/search') go('/search'); $('search').focus(); },
  '?': showKeys,
};

// Esc is no single-character key: it always leaves what one is in.
function leaveHere(event) {
  if (document.body.classList.contains('drawer')) {
    showRail(false);
    $('open-rail').focus();
  } else if (event.target.closest?.('.composer') && view.form) {
    if (view.form.answering) view.form.answer(null);
    else if (view.roll?.items.length) view.roll.activate(view.roll.active ?? view.roll.items[view.roll.high - 1].id, true);
    else $('title')?.focus();
  } else if (event.target.matches?.('input')) {
    if (event.target.id === 'find') { event.target.value = ''; drawAgents(); }
    $('title')?.focus();
  }
}

function keyed(event) {
  if (event.defaultPrevented || event.isComposing || document.querySelector('dialog[open]')) return;
  if (event.key === 'Escape') return leaveHere(event);
  const writing = event.target.matches?.('input:not([type=checkbox], [type=radio]), textarea, select');
  if (writing || event.ctrlKey || event.metaKey || event.altKey || !keysOn()) return;
  if (event.key === 'Enter') {
    if (openHere(event)) event.preventDefault();
  } else if (Object.hasOwn(ACTS, event.key)) {
    event.preventDefault();
    ACTS[event.key]();
  }
}

function clicked(event) {
  const anchor = event.target.closest?.('a[href]');
  if (!anchor || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const href = anchor.getAttribute('href');
  if (href === '#main') {
    event.preventDefault();
    ($('title') ?? $('main')).focus();
  } else if (href.startsWith('/')) {
    event.preventDefault();
    document.querySelector('dialog[open]')?.close('');
    if (href !== location.pathname + location.search) go(href);
    else { showRail(false); $('title')?.focus(); }
  }
}

function start() {
  history.scrollRestoration = 'manual';
  place = history.state?.key ?? token();
  const memory = remembered();
  history.replaceState({ key: place }, '');
  listeners.add(hearing);
  startRail();
  enter(memory, true);
  addEventListener('popstate', () => {
    remember();
    place = history.state?.key ?? token();
    enter(remembered() ?? {});
  });
  addEventListener('pagehide', remember);
  document.addEventListener('click', clicked);
  document.addEventListener('keydown', keyed);
  live.onEvent = event => { apply(event); notifyOf(event); };
  live.onResync = () => { resync(); view?.again?.(); };
  live.onLink = link => {
    drawLink();
    if (link === 'live') { fetchAgents(); fetchMine(); fetchUnseen(); reading.take(); for (const feed of world.feeds) if (feed.failure) feed.refresh(); }
  };
  resyncFrame();
  connect();
  setInterval(refreshTimes, 30_000);
}

// The first look, before the wire is up.
function resyncFrame() {
  fetchAgents();
  fetchMine();
  fetchUnseen();
}

document.addEventListener('DOMContentLoaded', start);
