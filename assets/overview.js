// The overview: counts, how busy the last day was, and the log of events.

const HOURS = 24;

// Bars of messages an hour, oldest first, with the same figures as a table. The hours go back from now.
function activityOf(hours) {
  const most = Math.max(1, ...hours), width = 100 / HOURS;
  const start = Date.now() - HOURS * 3_600_000;
  const hourName = i => `${clock.format(start + i * 3_600_000)} – ${clock.format(start + (i + 1) * 3_600_000)}`;
  const total = hours.reduce((sum, n) => sum + n, 0), peak = hours.indexOf(Math.max(...hours));
  const summary = total ? `${plural(total, 'message')} in 24 hours, most of them ${hourName(peak)}` : 'No message in the last 24 hours';
  const bars = hours.map((n, i) => s('rect', { class: n ? 'bar-n' : 'bar-0', x: i * width + 0.4, width: width - 0.8,
    y: 40 - (n ? Math.max(2, 38 * n / most) : 1), height: n ? Math.max(2, 38 * n / most) : 1 },
  s('title', {}, `${hourName(i)}: ${plural(n, 'message')}`)));
  return h('figure', { class: 'activity' },
    s('svg', { viewBox: '0 0 100 40', preserveAspectRatio: 'none', role: 'img', 'aria-label': summary }, ...bars),
    h('div', { class: 'axis', 'aria-hidden': 'true' }, [24, 18, 12, 6].map(i => h('span', {}, `${i} h ago`)), h('span', {}, 'now')),
    h('figcaption', {}, summary),
    h('details', {}, h('summary', {}, 'As a table'), h('div', { class: 'columns' }, h('table', {},
      h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Hour'), h('th', { scope: 'col' }, 'Messages'))),
      h('tbody', {}, hours.map((n, i) => h('tr', {}, h('th', { scope: 'row' }, hourName(i)), h('td', {}, n.toLocaleString('en')))))))));
}

const EVENTS = {
  'message.sent': ['mail', event => [nameLink(event.from), ' wrote to ', nameLink(event.to)]],
  'message.leased': ['open', event => [reader(event), ' holds mail', sender(event)]],
  'message.taken': ['done', event => [reader(event), ' is done with mail', sender(event)]],
  'message.released': ['reply', event => ['Mail', sender(event), ' waits again', receiver(event)]],
  'message.expired': ['dead', event => ['Mail', sender(event), ' expired unread', receiver(event)]],
  'message.dead': ['dead', event => ['Mail', sender(event), ' was given up', receiver(event)]],
  'broadcast.created': ['horn', event => [event.from ? nameLink(event.from) : 'Somebody', ' told everybody']],
  'agent.online': ['counter', event => [agentOf(event), ' came']],
  'agent.offline': ['counter', event => [agentOf(event), ' left']],
  'agent.renamed': ['pen', event => [agentOf(event), ' is now ', event.to ? nameLink(event.to) : 'somebody else']],
  cleared: ['bin', event => event.agent ? ['Mail of ', agentOf(event), event.id ? ' was deleted' : ' was cleared'] : ['The broadcasts were cleared']],
};

const agentOf = event => event.agent ? nameLink(event.agent) : 'An agent';
const reader = event => event.agent ?? event.to ? nameLink(event.agent ?? event.to) : 'A reader';
const sender = event => event.from ? [' from ', nameLink(event.from)] : '';
const receiver = event => event.to ?? event.agent ? [' for ', nameLink(event.to ?? event.agent)] : '';

function logRow(event) {
  const [sign, words] = EVENTS[event.type] ?? ['mail', () => [event.type]];
  const message = event.id && event.type.startsWith('message.');
  return h('li', {}, icon(sign), h('span', {}, words(event)),
    message ? link('/m/' + event.id, [h('span', { class: 'unseen' }, 'the message, '), when(event.at)], { class: 'at' })
      : h('span', { class: 'at' }, when(event.at)));
}

// What history tells of the time before the page was opened.
function pastEvents(record) {
  const { id, from, to, timestamp, takenBy } = record;
  const events = [{ type: 'message.sent', at: timestamp, id, from, to }];
  if (record.ackedAt) events.push({ type: 'message.taken', at: record.ackedAt, id, agent: takenBy, from, to });
  return events;
}

function overview() {
  const figures = h('dl', { class: 'figures' }), activity = h('div', { class: 'graph' });
  const log = h('ol', { class: 'log' }), place = h('div', {});

  // Who is here is known without asking.
  const here = h('dd', {});
  const drawHere = () => { here.textContent = [...world.agents.values()].filter(agent => agent.online).length.toLocaleString('en'); };
  const draw = paced(async () => {
    try {
      const [stats, { hours }] = await Promise.all([api.stats(), api.activity()]);
      const rows = [['Waiting', stats.waiting], ['In hand', stats.leased], ['Dead letters', stats.dead],
        ['Sent', stats.sent], ['Read', stats.taken]];
      drawHere();
      figures.replaceChildren(h('div', {}, h('dt', {}, 'Here now'), here), ...rows.map(([label, n]) => h('div', {}, h('dt', {}, label), h('dd', {}, n.toLocaleString('en')))));
      const open = activity.querySelector('details')?.open;
      activity.replaceChildren(activityOf(hours));
      activity.querySelector('details').open = Boolean(open);
      place.replaceChildren();
    } catch (failure) {
      place.replaceChildren(trouble('The counts cannot be shown.', failure, draw));
    }
  }, 3_000);
  const drawLog = paced(async () => {
    if (afterPress(drawLog)) return;
    log.replaceChildren(...world.log.slice(0, 100).map(logRow));
    empty.hidden = world.log.length > 0;
  }, 300);
  const empty = h('div', { hidden: true }, nothing('The counter is open', 'Nothing was carried yet. Try it from a shell:', h('pre', {}, h('code', {}, `postino send ${me} "hello"`))));

  const seed = async () => {
    try { note(...(await api.history({ limit: 100 })).items.map(keep).flatMap(pastEvents)); } catch { /* the counts say it */ }
    drawLog();
  };
  seed();
  draw();
  return {
    title: 'Overview',
    hear(what) {
      if (what === 'log') drawLog();
      if (what === 'agents') drawHere();
      if (what === 'activity') draw();
    },
    element: h('section', { class: 'view', 'aria-labelledby': 'title' },
      headOf('Overview', 'What the office carries, as it happens'),
      h('div', { class: 'scroll', tabindex: '0', role: 'group', 'aria-labelledby': 'title' }, h('div', { class: 'sheet wide' }, place, figures,
        h('h2', {}, 'The last 24 hours'), activity,
        h('h2', {}, 'Events'), empty, log))),
  };
}
