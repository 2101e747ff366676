// Takes the pictures of the page: README's (docs/page.png), and with a folder as the argument, every view in every size and
// theme, to look at. Run it by `just screenshots [FOLDER]`.

import { mkdirSync } from 'node:fs';
import { Postino, browser, until, visit } from './support.mjs';

const folder = process.argv[2];
const SIZES = [1440, 1024, 390, 320];
const AGENTS = ['agent-A1B2C3D4', 'agent-9F8E7D6C', 'api-refactor', 'auth-service', 'billing', 'ci-bot', 'data-pipeline', 'db-migration', 'design-system',
  'docs-writer', 'infra', 'linter', 'log-keeper', 'ml-training', 'mobile-android', 'mobile-ios', 'payments', 'perf-hunter', 'queue-worker', 'release-manager',
  'reviewer', 'search-index', 'security-audit', 'support-bot', 'test-runner', 'translator', 'web-frontend', 'webshop', 'webshop-2',
  'an-agent-with-a-very-long-name-that-somebody-thought-a-good-idea'];
const WORDS = [
  'users.email may be null from now on. Please handle it in the form before you merge; the migration runs tonight.',
  'Build 1234 is green.',
  'The review of #482 is done: two remarks, both small.\n\n1. parse() swallows the error of the second branch.\n2. The test has no assertion for the empty list.',
  'Can you take the flaky test in checkout_spec? It fails one time in twenty for me, always in the same place.',
  'Done. Pushed to feature/session-tokens, the pipeline runs.',
  'I hold the lock on schema.sql for about ten minutes.',
  'Keep v2. v1 goes away in March.',
  'thanks, the form is changed',
];

// Some mail between many, always the same.
async function fill(postino) {
  let seed = 7;
  const any = n => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % n;
  for (let i = 0; i < 200; i++) {
    const from = AGENTS[i % AGENTS.length], to = AGENTS[any(22)];
    await postino.send(from, to === from ? 'reviewer' : to, WORDS[i % WORDS.length], { urgent: i % 23 === 0 });
  }
  for (const agent of AGENTS.slice(2, 14)) await postino.post(`/api/messages/${agent}/read`, { limit: 5 });
  const ask = await postino.send('web-ui', 'api-refactor', 'Which of the two endpoints shall stay, /v1/orders or /v2/orders?');
  await postino.post('/api/messages/api-refactor/read', { limit: 100 });
  const answer = await postino.send('api-refactor', 'web-ui', 'v2. The mobile clients are the last ones on v1, and mobile-ios says they are off it by Friday.', { replyTo: ask.id });
  const reply = await postino.send('web-ui', 'api-refactor', 'Good. Then remove v1 on Monday, and tell everybody.', { replyTo: answer.id });
  await postino.post('/api/messages/api-refactor/read', { lease: 300 });
  await postino.send('api-refactor', 'web-ui', 'Will do. I announce it today.', { replyTo: reply.id });
  await postino.send('reviewer', 'web-ui', WORDS[2], { urgent: true });
  await postino.send('mobile-ios', 'web-ui', 'We are off v1 since this morning.');
  await postino.announce('ci-bot', 'Deploy freeze until Monday.');
  await postino.announce('infra', 'log-keeper left.', { kind: 'notice' });
  await postino.announce('api-refactor', '/v1/orders is removed on Monday. Use /v2/orders.');
  return ask.id;
}

// Shows an address, and waits until it stands still.
async function show(context, url) {
  const page = await visit(context, url);
  await until('the wire', async () => await page.locator('#wire').getAttribute('data-link') === 'live');
  await until('the agents', () => page.evaluate(() => world.agentsKnown));
  await until('the view', () => page.evaluate(() => !document.querySelector('.feed[aria-busy=true]')));
  await page.waitForTimeout(700);
  return page;
}

const STATES = {
  overview: ['/'], talk: ['/inbox/api-refactor'], mine: ['/inbox/web-ui'], broadcasts: ['/broadcasts'], search: ['/search?q=migration'], lost: ['/m/nothing'],
  compose: ['/inbox/reviewer', async page => { await page.keyboard.press('c'); await page.keyboard.type('we'); await page.keyboard.press('ArrowDown'); }],
  settings: ['/', page => page.evaluate(() => showSettings())],
  keys: ['/', page => page.keyboard.press('?')],
  confirm: ['/inbox/reviewer', page => page.getByRole('button', { name: 'Clear', exact: true }).click()],
  drawer: ['/', page => page.locator('#open-rail').click(), 390],
};

async function everything(chrome, postino, tag, states) {
  for (const width of SIZES) {
    for (const colorScheme of ['light', 'dark']) {
      const context = await chrome.newContext({ viewport: { width, height: width < 500 ? 720 : 860 }, colorScheme, hasTouch: width < 500, isMobile: width < 500 });
      for (const [name, [path, act, most]] of Object.entries(states)) {
        if (width > (most ?? width)) continue;
        const page = await show(context, postino.url + path);
        await act?.(page);
        await page.waitForTimeout(200);
        await page.screenshot({ path: `${folder}/${tag}-${name}-${width}-${colorScheme}.png` });
        if (page.faults.length) console.error(name, page.faults);
        await page.close();
      }
      await context.close();
    }
  }
}

const postino = await Postino.start();
const chrome = await browser();
try {
  if (folder) {
    mkdirSync(folder, { recursive: true });
    const { overview, talk, mine, broadcasts } = STATES;
    await everything(chrome, postino, 'empty', { overview, talk, mine, broadcasts });
  }
  const thread = await fill(postino);
  const context = await chrome.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: 'light' });
  const page = await show(context, postino.url + '/inbox/api-refactor');
  mkdirSync('docs', { recursive: true });
  await page.screenshot({ path: 'docs/page.png' });
  await context.close();
  if (folder) {
    await everything(chrome, postino, 'busy', { ...STATES, thread: ['/thread/' + thread], message: ['/m/' + thread] });
    await everything(chrome, postino, 'offline', { talk: ['/inbox/reviewer', async offline => {
      await postino.kill();
      await until('offline', async () => await offline.locator('#wire').getAttribute('data-link') === 'offline');
      await offline.getByLabel('Message to reviewer').fill('Is anybody there?');
      await offline.keyboard.press('Control+Enter');
      await offline.getByRole('alert').waitFor();
      await offline.waitForTimeout(300);
      await offline.screenshot();
      setTimeout(() => postino.serve(), 600);
    }] });
  }
} finally {
  await chrome.close();
  await postino.stop();
}
