// The rail: the wire's lamp, the places, the agents with their states and mail; and the unread count in title and favicon.

const SHOWN = 200;
let showAll = false;

const STATE = { working: 'working', idle: 'idle', offline: 'away' };

const lampOf = agent => h('i', { class: 'lamp ' + agent.state, 'aria-hidden': 'true' });

const byName = (a, b) => a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1;

// Mail that waits for the person, by sender.
function mineBySender() {
  const counts = new Map();
  for (const from of world.mine.values()) counts.set(from, (counts.get(from) ?? 0) + 1);
  return counts;
}

function agentRow(agent, here, mine) {
  const waiting = agent.messageCount;
  return h('li', {}, h('a', { href: inboxOf(agent.name), class: 'agent', 'aria-current': here === inboxOf(agent.name) && 'page',
    title: [agent.name, agent.client, agent.project, agent.host].filter(Boolean).join(' · ') },
    lampOf(agent),
    h('span', { class: 'name' }, agent.name), h('span', { class: 'unseen' }, ', ' + STATE[agent.state]),
    waiting > 0 && h('span', { class: 'waits', title: `${waiting} waiting` }, waiting > 999 ? '999+' : waiting, h('span', { class: 'unseen' }, ' waiting')),
    mine > 0 && h('b', { class: 'count', title: `${mine} for you` }, mine, h('span', { class: 'unseen' }, ' for you'))));
}

// Draws the agents that the field asks for.
function drawAgents() {
  if (afterPress(drawAgents)) return;
  const typed = $('find').value.trim().toLowerCase(), mine = mineBySender(), here = location.pathname;
  const all = [...world.agents.values()].filter(agent => agent.name !== me);
  for (const from of mine.keys()) {
    // Somebody who wrote and is not on the list: history keeps names as they were written.
    if (!world.agents.has(from) && from !== me) all.push({ name: from, state: 'offline', online: false, messageCount: 0 });
  }
  const found = all.filter(agent => agent.name.toLowerCase().includes(typed)).sort(byName);
  const groups = [['Here', found.filter(agent => agent.online)], ['Away', found.filter(agent => !agent.online)]];
  let room = showAll ? Infinity : SHOWN, left = 0;
  const focused = document.activeElement?.closest?.('#agents a')?.getAttribute('href');
  const drawn = groups.filter(([, agents]) => agents.length).map(([title, agents]) => {
    const rows = agents.slice(0, Math.max(0, room));
    room -= rows.length;
    left += agents.length - rows.length;
    return [h('h3', {}, title, ' ', h('span', {}, agents.length)),
      h('ul', {}, rows.map(agent => agentRow(agent, here, mine.get(agent.name) ?? 0)))];
  });
  $('agents').replaceChildren(...drawn.flat(),
    ...(left ? [button(null, `Show ${left} more`, () => { showAll = true; drawAgents(); }, { class: 'plain' })] : []),
    ...(found.length || !world.agentsKnown ? [] : [h('p', { class: 'aside' }, all.length ? 'No agent has such a name.' : 'No agents yet. Whoever sends, reads or says its name appears here.')]));
  if (focused) $('agents').querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
  $('agents-count').textContent = all.length ? `${all.filter(agent => agent.online).length} of ${all.length} here` : '';
}

function placeRow(href, sign, label, count, says) {
  return h('li', {}, h('a', { href, 'aria-current': location.pathname === href && 'page' }, icon(sign), h('span', {}, label),
    count > 0 && h('b', { class: 'count' }, count, h('span', { class: 'unseen' }, ' ' + says))));
}

function drawPlaces() {
  if (afterPress(drawPlaces)) return;
  const focused = document.activeElement?.closest?.('#places a')?.getAttribute('href');
  $('places').replaceChildren(
    placeRow('/', 'counter', 'Overview', 0, ''),
    placeRow(inboxOf(me), 'mail', 'Your mail', world.mine.size, 'unread'),
    placeRow('/broadcasts', 'horn', 'Broadcasts', world.unseen, 'unseen'),
    placeRow('/search', 'search', 'Search', 0, ''));
  if (focused) $('places').querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
}

// The envelope of the browser's tab, with a dot when something is unread.
function favicon(unread) {
  const dot = unread ? '<circle cx="24" cy="9" r="7.5" fill="#c8321f" stroke="#fff" stroke-width="2"/>' : '';
  const image = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect x="2" y="6" width="28" height="21" rx="3" fill="#1f4b87"/>'
    + `<path d="m4 9 12 10L28 9" fill="none" stroke="#fff" stroke-width="2.5"/>${dot}</svg>`;
  $('favicon').href = 'data:image/svg+xml,' + encodeURIComponent(image);
}

function drawUnread() {
  const total = unreadTotal();
  document.title = (total ? `(${total}) ` : '') + (document.body.dataset.title ?? 'postino');
  favicon(total > 0);
  $('bar-count').hidden = !total;
  $('bar-count').textContent = total;
  drawPlaces();
}

const LINK = { connecting: 'Connecting', live: 'Live', offline: 'Offline' };

function drawLink() {
  const bad = live.link === 'live' && world.trouble;
  const text = bad ? 'Trouble' : LINK[live.link];
  for (const wire of [$('wire'), $('bar-wire')]) {
    wire.dataset.link = bad ? 'offline' : live.link;
    if (wire.lastElementChild.textContent !== text) wire.lastElementChild.textContent = text;
    wire.title = bad ? `${world.trouble.message}. ${world.trouble.hint}` : live.link === 'offline' ? 'The server does not answer; it is asked again and again.' : '';
  }
}

// On a narrow window the rail is a drawer.
function showRail(open) {
  document.body.classList.toggle('drawer', open);
  $('open-rail').setAttribute('aria-expanded', String(open));
  const narrow = matchMedia('(max-width: 719px)').matches;
  $('main').inert = narrow && open;
  if (open) $('new-message').focus();
}

const drawAgentsSoon = paced(async () => drawAgents(), 200, 20);

function startRail() {
  $('me').textContent = me;
  $('find').addEventListener('input', drawAgents);
  $('new-message').addEventListener('click', () => { showRail(false); writeNew(); });
  $('settings').addEventListener('click', showSettings);
  $('keys-help').addEventListener('click', showKeys);
  $('open-rail').addEventListener('click', () => showRail(!document.body.classList.contains('drawer')));
  listeners.add(what => {
    if (what === 'agents' || what === 'unread') drawAgentsSoon();
    if (what === 'unread') drawUnread();
    if (what === 'trouble') drawLink();
  });
  drawPlaces();
  drawAgents();
  drawUnread();
}
