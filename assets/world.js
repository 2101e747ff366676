// What this page knows: agents, messages, what waits for the person, and the log of events. Kept right by events, filled by
// requests. Knows the API, no view: `changed` tells those who show it.

const world = {
  agents: new Map(),
  agentsKnown: false,
  records: new Map(),   // every message that was loaded, by id
  version: 0,           // grows when messages come to them or go
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
    world.version++;
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
    this.turn = Promise.resolve();
  }

  // Runs one piece of loading after the other: they would overwrite what the other one found.
  async one(work) {
    const before = this.turn;
    let done;
    this.turn = new Promise(resolve => { done = resolve; });
    await before;
    try {
      this.finish(null, await work());
    } catch (failure) {
      this.finish(failure, []);
    } finally {
      done();
    }
  }

  async page(before) {
    const { items } = await api.history({ ...this.query, before, limit: this.limit });
    return items.map(keep).reverse();
  }

  // Fetches what is newer than the newest one known.
  refresh() {
    return this.one(async () => {
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
      this.items = [...this.items, ...fresh];
      return fresh;
    });
  }

  finish(failure, fresh) {
    this.failure = failure;
    this.loaded ||= !failure;
    changed('feed', { feed: this, fresh });
  }

  // Loads one older page.
  older() {
    this.loading ??= this.one(async () => {
      if (this.done || !this.loaded) return [];
      const page = await this.page(this.items[0]?.id);
      const known = new Set(this.items.map(item => item.id));
      this.items = [...page.filter(item => !known.has(item.id)), ...this.items];
      this.done = page.length < this.limit;
      return [];
    }).finally(() => { this.loading = null; });
    return this.loading;
  }

  // Loads anew when events were missed: back to the oldest one that is shown, but about a thousand at most. Ids begin with
  // their time, so that one is passed also when it is gone.
  reload() {
    if (!this.loaded) return this.refresh();
    return this.one(async () => {
      const oldest = this.items[0]?.id, before = new Set(this.items.map(item => item.id));
      let items = [], page;
      do {
        page = await this.page(items[0]?.id);
        items = [...page, ...items];
      } while (page.length === this.limit && items.length < 1_000 && items[0].id > oldest);
      this.items = items;
      this.done = page.length < this.limit;
      return items.filter(item => !before.has(item.id));
    });
  }

  drop(id) {
    if (!this.items.some(item => item.id === id)) return;
    this.items = this.items.filter(item => item.id !== id);
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

// Work of the frame: what goes wrong is shown at the lamp, and tried again until it goes well; then all is fetched anew.
const frame = work => async () => {
  try {
    await work();
    if (!world.trouble) return;
    world.trouble = null;
    changed('trouble');
    resync();
  } catch (failure) {
    world.trouble = failure;
    clearTimeout(world.again);
    world.again = setTimeout(fetchAgents, 2_000);
    changed('trouble');
  }
};

// Who is there.
const fetchAgents = paced(frame(async () => {
  const agents = new Map();
  let page, after;
  do {
    page = await api.agents(after);
    for (const agent of page.items) agents.set(agent.name, agent);
    after = page.items.at(-1)?.name;
  } while (after && agents.size < page.total);
  world.agents = agents;
  world.agentsKnown = true;
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

// A message was deleted.
function forget(id) {
  world.records.delete(id);
  world.version++;
  world.mine.delete(id);
  for (const feed of world.feeds) feed.drop(id);
  changed('unread');
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
    changed('activity');
    if (event.type === 'message.sent') {
      for (const feed of world.feeds) if (feed.wants(event)) feed.sync();
    }
  } else if (event.type === 'broadcast.created') {
    fetchUnseen();
    changed('broadcasts');
  } else if (event.type === 'cleared') {
    if (event.id) {
      forget(event.id);
      fetchAgents();
      changed('activity');
    } else {
      world.records.clear();
      resync();
    }
  } else fetchAgents();
}

// An agent's presence changed; the event is the agent as the list shows it.
function setState({ type, ...agent }) {
  world.agents.set(agent.name, agent);
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
