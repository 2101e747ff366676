// What this page knows: agents, messages, what waits for the person, and the log of events. Kept right by events, filled by
// requests. Knows the API, no view: `changed` tells those who show it.

const world = {
  agents: new Map(),
  online: 0,
  records: new Map(),   // every message that was loaded, by id
  mine: new Map(),      // mail that waits for the person: id → sender
  unseen: 0,            // announcements that the person has not seen
  feeds: new Set(),     // the parts of history that are shown
  log: [],              // events, newest first
  trouble: null,        // why the last request for the frame failed
};

const listeners = new Set();
// What changed: `agents`, `unread`, `feed`, `record`, `broadcasts`, `log`, `activity` or `trouble`.
const changed = (what, detail) => { for (const listener of [...listeners]) listener(what, detail); };

// Remembers a message as the server tells it, and gives the one object that stands for it.
function keep(record) {
  const known = world.records.get(record.id);
  if (!known) {
    world.records.set(record.id, record);
    return record;
  }
  const before = JSON.stringify(known);
  for (const name of ['takenAt', 'takenBy', 'ackedAt', 'leaseUntil', 'deliveries']) delete known[name];
  Object.assign(known, record);
  if (JSON.stringify(known) !== before) changed('record', known.id);
  return known;
}

// A part of history, oldest first, loaded page by page from its newest end.
class Feed {
  items = [];
  done = false;       // everything older is loaded
  loaded = false;
  failure = null;

  constructor(query, limit = 100) {
    Object.assign(this, { query, limit });
    this.sync = paced(() => this.refresh(), 150);
  }

  async page(before) {
    const { items } = await api.history({ ...this.query, before, limit: this.limit });
    return items.map(keep).reverse();
  }

  // Fetches what is newer than the newest one known; calls itself off at the first known one.
  async refresh() {
    try {
      const known = new Set(this.items.map(item => item.id));
      let fresh = [], before, end = false;
      while (!end) {
        const page = await this.page(before);
        const news = page.filter(item => !known.has(item.id));
        fresh = [...news, ...fresh];
        end = news.length < page.length || page.length < this.limit || !this.loaded;
        if (!this.loaded) this.done = page.length < this.limit;
        before = page[0]?.id;
      }
      // What is loaded may have changed hands meanwhile: a feed that took older pages in between keeps them.
      const now = new Set(this.items.map(item => item.id));
      fresh = fresh.filter(item => !now.has(item.id));
      this.items = [...this.items, ...fresh];
      this.finish(null, fresh);
    } catch (failure) {
      this.finish(failure, []);
    }
  }

  finish(failure, fresh) {
    this.failure = failure;
    this.loaded ||= !failure;
    changed('feed', { feed: this, fresh });
  }

  // Loads one older page.
  older() {
    this.loading ??= this.loadOlder().finally(() => { this.loading = null; });
    return this.loading;
  }

  async loadOlder() {
    if (this.done || !this.loaded) return;
    try {
      const page = await this.page(this.items[0]?.id);
      const known = new Set(this.items.map(item => item.id));
      this.items = [...page.filter(item => !known.has(item.id)), ...this.items];
      this.done = page.length < this.limit;
      this.finish(null, []);
    } catch (failure) {
      this.finish(failure, []);
    }
  }

  // Loads anew when events were missed: as much as is shown, at most a thousand.
  async reload() {
    if (!this.loaded) return this.refresh();
    try {
      const want = Math.min(this.items.length, 1_000);
      let items = [], page;
      do {
        page = await this.page(items[0]?.id);
        items = [...page, ...items];
      } while (page.length === this.limit && items.length < want);
      const before = new Set(this.items.map(item => item.id));
      this.items = items;
      this.done = page.length < this.limit;
      this.finish(null, items.filter(item => !before.has(item.id)));
    } catch (failure) {
      this.finish(failure, []);
    }
  }

  drop(id) {
    const at = this.items.findIndex(item => item.id === id);
    if (at < 0) return;
    this.items = this.items.toSpliced ? this.items.toSpliced(at, 1) : this.items.filter(item => item.id !== id);
    changed('feed', { feed: this, fresh: [] });
  }

  // Whether a new message belongs here.
  wants(event) {
    const { agent, with: other, thread } = this.query;
    if (thread) return true;
    const ends = [event.from, event.to];
    return (!agent || ends.includes(agent)) && (!other || (ends.includes(other) && ends.includes(agent)));
  }
}

const frame = work => async () => {
  try {
    await work();
    if (world.trouble) { world.trouble = null; changed('trouble'); }
  } catch (failure) {
    world.trouble = failure;
    changed('trouble');
    throw failure;
  }
};

// Who is there.
const fetchAgents = paced(frame(async () => {
  const page = await api.agents();
  world.agents = new Map(page.items.map(agent => [agent.name, agent]));
  world.online = page.online;
  changed('agents');
}), 1_000, 150);

// What waits for the person.
const fetchMine = paced(frame(async () => {
  const mine = new Map();
  let page, after;
  do {
    page = await api.waiting(me, { limit: 200, after });
    for (const record of page.items) {
      keep(record);
      if (record.standing === 'waiting') mine.set(record.id, record.from);
      after = record.id;
    }
  } while (page.items.length === 200);
  world.mine = mine;
  changed('unread');
}), 500);

const fetchUnseen = paced(frame(async () => {
  const { unseenBroadcasts } = await api.check();
  world.unseen = unseenBroadcasts;
  changed('unread');
}), 300);

// Everything that the frame shows, anew: at the start, and when events were missed.
function resync() {
  fetchAgents();
  fetchMine();
  fetchUnseen();
  for (const feed of world.feeds) feed.reload();
  changed('broadcasts');
  changed('activity');
}

// What an event says of a message that is loaded.
function restand(event) {
  const record = world.records.get(event.id);
  if (!record) return;
  switch (event.type) {
    case 'message.leased': Object.assign(record, { standing: 'leased', takenAt: event.at, takenBy: event.agent ?? event.to }); break;
    case 'message.taken': Object.assign(record, { standing: 'taken', ackedAt: event.at }); break;
    case 'message.released': record.standing = 'waiting'; break;
    case 'message.dead': record.standing = 'dead'; break;
    case 'message.expired': record.standing = 'expired'; break;
  }
  changed('record', event.id);
}

function countMine(event) {
  const had = world.mine.has(event.id);
  const waits = event.type === 'message.sent' || event.type === 'message.released';
  if (waits && event.to === me) world.mine.set(event.id, event.from);
  if (!waits) world.mine.delete(event.id);
  if (had !== world.mine.has(event.id)) changed('unread');
}

// Takes one event in.
function apply(event) {
  if (event.type === 'agent.state') return setState(event);
  note({ type: event.type, at: event.at, id: event.id, agent: event.agent, from: event.from, to: event.to });
  if (event.type.startsWith('message.')) {
    countMine(event);
    restand(event);
    fetchAgents();
    if (event.type === 'message.sent') {
      for (const feed of world.feeds) if (feed.wants(event)) feed.sync();
      changed('activity');
    }
  } else if (event.type === 'broadcast.created') {
    fetchUnseen();
    changed('broadcasts');
  } else if (event.type === 'cleared') {
    if (event.id) {
      world.mine.delete(event.id);
      for (const feed of world.feeds) feed.drop(event.id);
      changed('unread');
      fetchAgents();
    } else resync();
  } else fetchAgents();
}

// An agent's presence changed; the event is the agent as the list shows it.
function setState({ type, ...agent }) {
  world.agents.set(agent.name, agent);
  world.online = [...world.agents.values()].filter(one => one.online).length;
  changed('agents');
}

const LOG = 300;

// Writes events into the log, newest first, each once.
function note(...events) {
  const key = event => [event.type, event.id, event.agent, event.at].join(' ');
  const known = new Set(world.log.map(key));
  const fresh = events.filter(event => !known.has(key(event)));
  if (!fresh.length) return;
  world.log = [...fresh, ...world.log].sort((a, b) => Date.parse(b.at) - Date.parse(a.at)).slice(0, LOG);
  changed('log');
}

const unreadTotal = () => world.mine.size + world.unseen;
