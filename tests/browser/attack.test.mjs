// Pages of other origins try to write and to read, in a real browser in which a person uses postino: nothing is stored, and
// nothing is read. Knows no view of the page.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { Postino, live, until, visitors } from './support.mjs';

const SECRET = 'what no stranger may read';

// Runs in the attacking page. Everything that a page can start against `target`; gives what was read of it.
async function attack({ target, id }) {
  const read = [];
  const letter = JSON.stringify({ from: 'evil', to: 'victim', body: 'forged' }), everybody = JSON.stringify({ from: 'evil', body: 'forged' });
  const wait = ms => new Promise(done => setTimeout(done, ms));
  const within = (ms, work) => Promise.race([work, wait(ms)]).catch(() => null);
  const note = (how, text) => { if (text) read.push(`${how}: ${String(text).slice(0, 80)}`); };
  const ask = (how, path, options) => within(4_000, fetch(target + path, options).then(response => response.text()).then(text => note(how, text)));

  const bodies = { '/api/messages': letter, '/api/broadcasts': everybody, '/api/messages/victim/read': '{}', '/api/broadcasts/read': '{"from":"victim"}', '/api/rename': '{"from":"victim","name":"evil"}' };
  for (const [path, body] of Object.entries(bodies)) {
    for (const mode of ['cors', 'no-cors']) {
      for (const type of ['text/plain', 'application/json', 'application/x-www-form-urlencoded']) {
        for (const credentials of ['include', 'omit']) await ask(`POST ${mode} ${type}`, path, { method: 'POST', mode, credentials, body, headers: { 'Content-Type': type } });
      }
    }
    navigator.sendBeacon(target + path, body);
    navigator.sendBeacon(target + path, new Blob([body], { type: 'text/plain' }));
    try { navigator.sendBeacon(target + path, new Blob([body], { type: 'application/json' })); } catch { /* asks first */ }
  }
  for (const method of ['DELETE', 'PUT', 'PATCH']) {
    for (const path of ['/api/messages/victim', '/api/messages/victim/' + id, '/api/broadcasts']) await ask(method, path, { method, credentials: 'include' });
  }
  for (const path of ['/', '/api/messages/victim', '/api/history', '/api/history/' + id, '/api/agents', '/api/stats', '/api/events', '/api/openapi.json', '/api/check/victim']) {
    for (const mode of ['cors', 'no-cors']) await ask(`GET ${mode}`, path, { mode, credentials: 'include' });
  }
  // Forms: one whose text happens to be JSON, and the plain ones.
  for (const [path, body] of Object.entries(bodies)) {
    for (const enctype of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
      const frame = document.createElement('iframe');
      frame.name = 'f' + Math.random();
      const form = document.createElement('form');
      Object.assign(form, { method: 'post', action: target + path, enctype, target: frame.name });
      const field = document.createElement('input');
      field.name = body.replace(/}$/, ',"x":"');
      field.value = '"}';
      form.append(field);
      document.body.append(frame, form);
      form.submit();
    }
  }
  // What a page may embed.
  for (const path of ['/api/messages?to=victim&from=evil&body=forged', '/api/messages/victim/read', '/api/messages/victim', '/']) {
    const image = new Image();
    image.onload = () => note('img', path);
    image.src = target + path;
    const script = document.createElement('script');
    script.onload = () => note('script', path);
    script.src = target + path;
    const sheet = document.createElement('link');
    sheet.rel = 'stylesheet';
    sheet.onload = () => note('stylesheet', [...document.styleSheets].length ? '' : path);
    sheet.href = target + path;
    document.body.append(image, script, sheet);
  }
  const events = new EventSource(target + '/api/events', { withCredentials: true });
  events.onopen = () => note('EventSource', 'opened');
  events.onmessage = event => note('EventSource', event.data);
  for (const type of ['message.sent', 'agent.state']) events.addEventListener(type, event => note('EventSource', event.data));
  const socket = new WebSocket(target.replace('http', 'ws') + '/api/events');
  socket.onopen = () => note('WebSocket', 'opened');
  socket.onmessage = event => note('WebSocket', event.data);
  const frame = document.createElement('iframe');
  frame.src = target + '/inbox/victim';
  document.body.append(frame);
  const opened = open(target + '/inbox/victim');
  await wait(1_500);
  for (const other of [frame.contentWindow, opened]) {
    try { note('window', other.document.body.innerText); } catch { /* another origin */ }
  }
  try { opened.postMessage({ what: 'event', event: { type: 'message.sent' } }, '*'); } catch { /* is shut */ }
  const channel = new BroadcastChannel('postino.web-ui');
  channel.onmessage = event => note('BroadcastChannel', JSON.stringify(event.data));
  channel.postMessage({ what: 'hello' });
  for (const store of [localStorage, sessionStorage]) note('storage', Object.keys(store).join());
  await wait(1_000);
  opened?.close();
  return read;
}

describe('pages of other origins', { timeout: 300_000 }, () => {
  const room = visitors('--host-resolver-rules=MAP evil.test 127.0.0.1');
  let postino, guarded, evil;
  const TOKEN = 'a-token-of-more-than-sixteen-bytes';

  before(async () => {
    postino = await Postino.start();
    evil = createServer((_, response) => response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>evil</title><body>evil'));
    await new Promise(done => evil.listen(0, '127.0.0.1', done));
  });
  after(async () => {
    evil?.closeAllConnections();
    evil?.close();
    await postino?.stop();
    await guarded?.stop();
  });

  // What is kept, in words that any change would change.
  const kept = async (postino, headers = {}) => {
    const get = async path => (await fetch(postino.url + path, { headers })).json();
    const { items, total } = await get('/api/messages/victim');
    const { sent, taken, waiting, leased } = await get('/api/stats');
    const { items: agents } = await get('/api/agents');
    const { items: broadcasts } = await get('/api/broadcasts?all=true');
    return { items: items.map(({ id, body, deliveries }) => [id, body, deliveries]), total, sent, taken, waiting, leased,
      agents: agents.map(agent => agent.name).filter(name => name !== 'web-ui').sort(), broadcasts: broadcasts.map(item => item.body) };
  };

  async function attackFrom(origin, target, id) {
    const page = await room.context.newPage();
    await page.goto(origin);
    const read = await page.evaluate(attack, { target, id });
    await page.close();
    return read;
  }

  test('a stranger, a neighbour on another port and a rebound name neither store nor read', async () => {
    const { id } = await postino.send('ann', 'victim', SECRET);
    const mine = await room.open(postino.url + '/inbox/victim');
    await live(mine);
    const before = await kept(postino);
    const port = evil.address().port;
    const [stranger, rebound] = [port, postino.port].map(port => `http://evil.test:${port}`);
    const [neighbour, local] = [`http://127.0.0.1:${port}`, `http://localhost:${postino.port}`];
    for (const [origin, target] of [[stranger, postino.url], [stranger, rebound], [stranger, local], [neighbour, postino.url], [neighbour, local]]) {
      assert.deepEqual(await attackFrom(origin, target, id), [], `${origin} reads ${target}`);
      assert.deepEqual(await kept(postino), before, `${origin} changes ${target}`);
    }
    // The same from our own origin does store: the attack itself works.
    const own = await mine.evaluate(async () => (await fetch('/api/messages', { method: 'POST', headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ from: 'evil', to: 'victim', body: 'forged' }) })).status);
    assert.equal(own, 200);
    assert.equal((await kept(postino)).total, before.total + 1);
    mine.faults = [];
  });

  test('a name that leads here is not answered', async () => {
    const page = await room.open(postino.url);
    await page.goto(`http://evil.test:${postino.port}/inbox/victim`);
    page.faults = [];
    const text = await page.evaluate(() => document.documentElement.innerText);
    assert.ok(!text.includes(SECRET));
    for (const path of ['/api/messages/victim', '/api/events', '/api/stats', '/']) {
      assert.equal((await page.goto(`http://evil.test:${postino.port}${path}`)).status(), 403, path);
    }
    page.faults = [];
  });

  test('also where the browser holds a token', async () => {
    guarded = await Postino.start('embedded', { env: { POSTINO_API_TOKEN: TOKEN } });
    const headers = { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' };
    const sent = await fetch(guarded.url + '/api/messages', { method: 'POST', headers, body: JSON.stringify({ from: 'ann', to: 'victim', body: SECRET }) });
    const { id } = await sent.json();
    const way = await until('the link that opens the page once', () => /http:\S+/.exec(guarded.said)?.[0]);
    const mine = await room.open(way);
    await live(mine);
    const before = await kept(guarded, headers);
    for (const origin of [`http://evil.test:${evil.address().port}/`, `http://127.0.0.1:${evil.address().port}/`]) {
      assert.deepEqual(await attackFrom(origin, guarded.url, id), [], `${origin} reads`);
      assert.deepEqual(await kept(guarded, headers), before, `${origin} changes`);
    }
    assert.equal(await mine.evaluate(async () => (await fetch('/api/stats')).status), 200, 'the person is in');
  });
});
