// Talking to the server: requests, answers, and failures that say cause and next step. Knows no view.

// What went wrong, in words for a person.
class Failure extends Error {
  constructor(kind, message, hint, status = 0) {
    super(message);
    Object.assign(this, { kind, hint, status });
  }
}

const capital = text => text ? text[0].toUpperCase() + text.slice(1) : '';

// Performs a request; the answer is the operation's response. Throws a `Failure`.
async function request(method, path, { query = {}, body } = {}) {
  const url = new URL(path, location.origin);
  for (const [name, value] of Object.entries(query)) if (value != null) url.searchParams.set(name, value);
  const options = { method, signal: AbortSignal.timeout(12_000), headers: {} };
  if (body) {
    options.headers['Content-Type'] = 'application/json';
    options.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(url, options);
  } catch {
    throw new Failure('offline', 'The postino server does not answer', 'It is tried again by itself; `postino serve` starts it.');
  }
  const answer = await response.json().catch(() => null);
  if (response.ok && answer) return answer;
  const told = answer?.error ?? {};
  const message = told.message ?? `The server answered with status ${response.status}`;
  throw new Failure(told.kind ?? 'other', capital(message), told.hint ?? 'Try it again in a moment.', response.status);
}

const part = encodeURIComponent;

// The operations that the page uses.
const api = {
  agents: after => request('GET', '/api/agents' + (after ? '?after=' + part(after) : '')),
  stats: () => request('GET', '/api/stats'),
  activity: () => request('GET', '/api/activity'),
  check: () => request('GET', '/api/check/' + part(me)),
  history: query => request('GET', '/api/history', { query }),
  message: id => request('GET', '/api/history/' + part(id)),
  waiting: (agent, query) => request('GET', '/api/messages/' + part(agent), { query }),
  send: letter => request('POST', '/api/messages', { body: { ...letter, from: me } }),
  take: (id, lease) => request('POST', `/api/messages/${part(me)}/read`, { body: { id, lease } }),
  ack: receipts => request('POST', `/api/messages/${part(me)}/ack`, { body: { receipts } }),
  remove: (agent, id) => request('DELETE', `/api/messages/${part(agent)}/${part(id)}`),
  clear: agent => request('DELETE', '/api/messages/' + part(agent)),
  broadcasts: () => request('GET', '/api/broadcasts', { query: { all: true, limit: 100 } }),
  broadcast: letter => request('POST', '/api/broadcasts', { body: { ...letter, from: me } }),
  heard: () => request('POST', '/api/broadcasts/read', { body: { from: me, limit: 100 } }),
  hush: () => request('DELETE', '/api/broadcasts'),
};
