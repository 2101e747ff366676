// The wire: one stream of events for all tabs of this browser, and whether it is up.
//
// The tab that holds the lock reads the stream and passes everything on; when it closes, the next one goes on behind the
// last event that was seen. Without Web Locks a tab reads a stream of its own, and only while it is visible.
// Knows no view and no message: it calls `onEvent`, `onResync` and `onLink`.

const SILENCE = 40_000;

const live = {
  link: 'connecting',
  leads: false,
  cursor: null,
  onEvent() {}, onResync() {}, onLink() {},
};

const tabs = 'BroadcastChannel' in window ? new BroadcastChannel('postino.' + me) : null;

// Tells this tab and the others.
function spread(note) {
  tabs?.postMessage(note);
  hear(note);
}

function hear(note) {
  if (note.cursor) live.cursor = note.cursor;
  switch (note.what) {
    case 'event': live.onEvent(note.event); break;
    case 'resync': live.onResync(); break;
    case 'link':
      if (live.link !== note.link) {
        live.link = note.link;
        live.onLink(note.link);
      }
      break;
    case 'hello':
      if (live.leads) tabs.postMessage({ what: 'link', link: live.link, cursor: live.cursor });
      break;
  }
}

const pause = (ms, signal) => new Promise(done => {
  const timer = setTimeout(done, ms);
  signal.addEventListener('abort', () => { clearTimeout(timer); done(); }, { once: true });
});

// Reads streams until the signal says stop; never gives up.
async function lead(signal) {
  live.leads = true;
  let wait = 250;
  while (!signal.aborted) {
    const began = Date.now();
    try { await follow(signal); } catch { /* told by the lamp below */ }
    if (signal.aborted) break;
    spread({ what: 'link', link: 'offline' });
    if (Date.now() - began > 10_000) wait = 250;
    await pause(wait, signal);
    wait = Math.min(2 * wait, 2_000);
  }
  live.leads = false;
}

// One connection, until it ends. Throws when it cannot be made, breaks, or is silent for too long.
async function follow(signal) {
  const ours = new AbortController();
  const stop = () => ours.abort();
  signal.addEventListener('abort', stop, { once: true });
  let silence = setTimeout(stop, SILENCE);
  try {
    const headers = live.cursor ? { 'Last-Event-ID': live.cursor } : {};
    const fresh = !live.cursor;
    const response = await fetch('/api/events?page=' + me, { headers, signal: ours.signal });
    if (!response.ok) throw new Error('refused');
    spread({ what: 'link', link: 'live' });
    // Without a place to go on from, what came before the connection is not in the stream.
    if (fresh) spread({ what: 'resync' });
    const take = parser();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let chunk; !(chunk = await reader.read()).done;) {
      clearTimeout(silence);
      silence = setTimeout(stop, SILENCE);
      for (const event of take(chunk.value)) arrived(event);
    }
  } finally {
    clearTimeout(silence);
    signal.removeEventListener('abort', stop);
    ours.abort();
  }
}

// What to do with one event of the stream.
function arrived({ id, name, data }) {
  if (id) live.cursor = id;
  if (name === 'reset') spread({ what: 'resync', cursor: id });
  else if (data) spread({ what: 'event', cursor: id, event: { type: name, ...JSON.parse(data) } });
}

// Takes pieces of text, gives the events that are complete (HTML standard, "Server-sent events", for what is used of it).
function parser() {
  let rest = '', event = {};
  return text => {
    const events = [], lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      const [, field, value] = /^(\w*):? ?(.*?)\r?$/s.exec(line) ?? [];
      if (line === '' || line === '\r') {
        if (event.id || event.data) events.push(event);
        event = {};
      } else if (field === 'id') event.id = value;
      else if (field === 'event') event.name = value;
      else if (field === 'data') event.data = event.data === undefined ? value : event.data + '\n' + value;
    }
    return events;
  };
}

// Starts; from now on the three callbacks are called.
function connect() {
  if (tabs && navigator.locks) {
    tabs.onmessage = message => hear(message.data);
    tabs.postMessage({ what: 'hello' });
    const closing = new AbortController();
    addEventListener('pagehide', () => closing.abort(), { once: true });
    addEventListener('pageshow', shown => shown.persisted && location.reload());
    navigator.locks.request('postino.' + me, () => lead(closing.signal));
    return;
  }
  let reading = null;
  const look = () => {
    if (document.hidden) { reading?.abort(); reading = null; }
    else if (!reading) lead((reading = new AbortController()).signal);
  };
  document.addEventListener('visibilitychange', look);
  look();
}
