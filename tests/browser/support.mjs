// A postino to look at: the built binary with a home and a store of its own, served on a free port, and a Chromium that
// looks at it. Knows no view of the page. Whatever is started here is ended with the test.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
// The packages lie under target/, where `.ci/setup` puts them.
const require = createRequire(join(root, 'target/browser/'));
const { chromium } = require('playwright-core');
export const axeSource = () => require('axe-core').source;

const BINARY = process.env.POSTINO_BIN ?? join(root, 'target/debug/postino');
const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

export const SERVERS = ['valkey-server', 'redis-server'].filter(name => spawnSync(name, ['--version']).status === 0);
// Every store that this machine can try: the embedded one, and a server when there is one.
export const STORES = ['embedded', ...SERVERS.slice(0, 1)];
if (STORES.length === 1) console.error('\n!!! neither valkey-server nor redis-server is installed: the browser tests run on the embedded store alone\n');

// How long a test waits for what the page promises within a second or two: a busy machine is no fault of the page.
export const PATIENCE = 10_000;

// A port that was free a moment ago.
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
    server.on('error', reject);
  });
}

// Waits until `probe` gives something true; says what it waited for when it does not.
export async function until(what, probe, ms = 10_000) {
  const end = Date.now() + ms;
  let last;
  for (;;) {
    try {
      last = await probe();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`waited ${ms} ms for ${what}; at last: ${last?.stack ?? JSON.stringify(last)}`);
    await new Promise(done => setTimeout(done, 25));
  }
}

// The processes that one started, where the system tells.
function childrenOf(pid) {
  try { return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean); } catch { return []; }
}

const gone = child => new Promise(done => (child.exitCode ?? child.signalCode) === null ? child.once('exit', done) : done());

// A home, a store, and a server of pages.
export class Postino {
  // `store`: `embedded`, or the command of a server.
  static async start(store = 'embedded', { env = {} } = {}) {
    const postino = new Postino();
    postino.home = mkdtempSync(join(tmpdir(), 'postino-page-'));
    postino.port = await freePort();
    postino.url = `http://127.0.0.1:${postino.port}`;
    postino.env = { PATH: process.env.PATH, HOME: postino.home, POSTINO_HOME: join(postino.home, 'p'),
      POSTINO_WEB_PORT: String(postino.port), POSTINO_WEB_ENABLED: 'false', POSTINO_CLIENT_PID: '0', ...env };
    if (store === 'embedded') postino.env.POSTINO_VALKEY_URL = `sqlite:${join(postino.home, 'postino.db')}`;
    else await postino.startStore(store);
    await postino.serve();
    return postino;
  }

  async startStore(command) {
    const port = await freePort();
    this.env.POSTINO_VALKEY_URL = `redis://127.0.0.1:${port}`;
    // What it was told is on its disk: it can be ended and started again.
    this.storeCommand = [command, ['--port', port, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'yes', '--appendfsync', 'always', '--dir', this.home]];
    await this.resumeStore();
  }

  async resumeStore() {
    this.storeServer = spawn(...this.storeCommand, { stdio: 'ignore' });
    await until('the store', () => this.cli('stats').status === 0);
  }

  // Ends the server that keeps the mail, at once; `resumeStore` starts it again with what it kept.
  async killStore() {
    this.storeServer.kill('SIGKILL');
    await gone(this.storeServer);
  }

  // Serves, until `kill`.
  async serve() {
    this.server = spawn(BINARY, ['serve'], { env: this.env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.said = '';
    for (const stream of [this.server.stdout, this.server.stderr]) stream.on('data', data => { this.said += data; });
    await until('the server', async () => {
      if (this.server.exitCode !== null) throw new Error(`serve ended: ${this.said}`);
      const { ok, status } = await fetch(this.url + '/api/health');
      return ok || status === 401;
    });
  }

  // Ends the server and what it started, at once.
  async kill() {
    const { server } = this;
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const children = childrenOf(server.pid);
    server.kill('SIGKILL');
    await gone(server);
    // Whoever it started ends with it: the next server needs the port and the store.
    await until('the port', () => fetch(this.url + '/api/health').then(() => false, () => true));
    await until('its children to end', () => !children.some(pid => existsSync('/proc/' + pid)));
  }

  // Ends the process that answers, at once; the one that started it starts another.
  killChild() {
    for (const pid of childrenOf(this.server.pid)) process.kill(Number(pid), 'SIGKILL');
  }

  async stop() {
    await this.kill();
    if (this.storeServer) await this.killStore();
    rmSync(this.home, { recursive: true, force: true, maxRetries: 40, retryDelay: 50 });
  }

  // Runs a command to its end.
  cli(...args) {
    return spawnSync(BINARY, args, { env: this.env, encoding: 'utf8', timeout: 20_000 });
  }

  // A request of another program.
  async post(path, body) {
    const response = await fetch(this.url + path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
    const answer = await response.json();
    if (!response.ok) throw new Error(`${path}: ${JSON.stringify(answer)}`);
    return answer;
  }

  async get(path) {
    return (await fetch(this.url + path)).json();
  }

  send(from, to, body, more = {}) {
    return this.post('/api/messages', { from, to, body, ...more });
  }

  announce(from, body, more = {}) {
    return this.post('/api/broadcasts', { from, body, ...more });
  }
}

// A Chromium for many tests.
export function browser(...args) {
  if (!CHROMIUM) throw new Error('chromium is not installed: run .ci/setup');
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage', ...args] });
}

// A page of one visitor that notes what went wrong in it: errors, refusals by the policy, requests to elsewhere.
export async function visit(context, url) {
  const page = await context.newPage();
  page.faults = [];
  page.on('pageerror', error => page.faults.push(`error: ${error.stack}`));
  page.on('console', line => {
    // A request that failed is the browser's own line, and what the page makes of it is tested.
    if (line.type() === 'error' && !line.text().startsWith('Failed to load resource')) page.faults.push(`console: ${line.text()}`);
  });
  await page.addInitScript(() => document.addEventListener('securitypolicyviolation',
    event => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`)));
  page.on('request', request => {
    const at = request.url();
    if (!at.startsWith(new URL(url).origin) && !at.startsWith('data:') && !at.startsWith('blob:')) page.faults.push(`request: ${at}`);
  });
  await page.goto(url);
  return page;
}

// A browser for the tests of one `describe`, a page at a time or many: `open(url, options)` opens one, and after each test
// nothing may have gone wrong in any of them.
export function visitors(...args) {
  const room = { chrome: null, context: null, pages: [] };
  before(async () => { room.chrome = await browser(...args); });
  after(() => room.chrome?.close());
  afterEach(async () => {
    const faults = room.pages.flatMap(page => page.faults);
    await room.leave();
    assert.deepEqual(faults, [], 'nothing went wrong in the page');
  });
  room.open = async (url, options = {}) => {
    room.context ??= await room.chrome.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    const page = await visit(room.context, url);
    room.pages.push(page);
    return page;
  };
  room.leave = async () => {
    await room.context?.close();
    Object.assign(room, { context: null, pages: [] });
  };
  return room;
}

// The message in which a text stands.
export const article = (page, text) => page.getByRole('article').filter({ hasText: text });

// Waits until a page gets events.
export const live = page => until('the wire', async () => await page.locator('#wire').getAttribute('data-link') === 'live');

// Waits until a view shows what it has.
export const settled = page => until('the view', () => page.evaluate(() =>
  world.agentsKnown && !document.querySelector('.feed[aria-busy=true]:not([hidden] *)') && !document.body.innerText.includes('Fetching…')));

// Tells how long something took beside what is promised. A machine that does other work at the same time is slow through no
// fault of the page, so only several times the promise is a failure.
export function inTime(t, what, took, promised) {
  t.diagnostic(`${what}: ${Math.round(took)} ms, promised ${promised} ms`);
  assert.ok(took <= 5 * promised, `${what} took ${Math.round(took)} ms; promised are ${promised} ms`);
}

// What axe finds wrong with a page, a line each (WCAG 2.2 A and AA).
export async function axe(page) {
  await page.evaluate(axeSource());
  const { violations } = await page.evaluate(() => axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
  return violations.flatMap(({ id, nodes }) => nodes.map(node => `${id}: ${node.target} ${node.failureSummary}`));
}
