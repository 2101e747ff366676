// What axe and a ruler find in seven states of the page, in both themes, wide and narrow; and how much the page weighs.
// The store does not show in any of it.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Postino, article, axe, live, settled, until, visitors } from './support.mjs';

const LOOKS = ['light', 'dark'].flatMap(colorScheme => [1280, 320].map(width => ({ colorScheme, width })));

// What sticks out sideways: of the document, and of the parts that scroll by themselves.
const tooWide = page => page.evaluate(() => [document.documentElement, ...document.querySelectorAll('.scroll, .roll, .agents, dialog, main, .composer')]
  .filter(part => part.checkVisibility() && part.scrollWidth > part.clientWidth + 1)
  .map(part => `${part.tagName}.${part.className}: ${part.scrollWidth} in ${part.clientWidth}`));

// What shows in a page is right for everybody.
async function sound(page, state) {
  assert.deepEqual(await axe(page), [], state);
  assert.deepEqual(await tooWide(page), [], `${state} fits`);
}

// Mail of every kind: long and short, urgent, with invisible characters, answered, held, read, given up.
async function fill(postino) {
  const unbroken = 'a-word-that-does-not-end-'.repeat(12);
  const first = await postino.send('ann', 'a-name-of-sixty-four-characters-which-is-as-long-as-a-name-may-b', 'Shall I?', { urgent: true });
  const second = await postino.send('bob', 'ann', 'Yes, do.', { replyTo: first.id });
  await postino.send('ann', 'bob', 'Done.', { replyTo: second.id });
  for (const body of [unbroken, 'line\n'.repeat(40), 'what \u202e is here', 'שלום, a text from right to left', '1\n2']) await postino.send('ann', 'bob', body);
  await postino.post('/api/messages/bob/read', { limit: 1 });
  await postino.post('/api/messages/bob/read', { limit: 1, lease: 300 });
  await postino.send('bob', 'web-ui', 'for the person');
  await postino.announce('ci-bot', 'Deploy freeze until Monday.');
  await postino.announce('ci-bot', 'bob left', { kind: 'notice' });
  return first.id;
}

// What does not fit into a window yet is the drawer: on a narrow one it opens by its button.
async function press(page, name) {
  const control = page.getByRole('button', { name });
  if (!await control.isVisible()) await page.locator('#open-rail').click();
  await control.click();
}

// The states by their names; each shows itself in a page.
const STATES = {
  list: async (page, { url }) => {
    for (const path of ['/inbox/bob', '/inbox/web-ui', '/broadcasts', '/search?q=do', '/']) {
      await page.goto(url + path);
      await settled(page);
      await sound(page, path);
    }
  },
  thread: async (page, { url, thread }) => {
    await page.goto(url + '/thread/' + thread);
    await article(page, 'Done.').waitFor();
    await sound(page, 'thread');
    await page.goto(url + '/m/' + thread);
    await page.getByText('Came by').waitFor();
    await sound(page, 'message');
  },
  compose: async (page, { url }) => {
    await page.goto(url + '/inbox/bob');
    await settled(page);
    await article(page, 'Done.').getByRole('button', { name: 'Reply' }).click();
    await page.getByText('Answering ann').or(page.getByText('Answering bob')).waitFor();
    await sound(page, 'an answer');
    await press(page, 'New message');
    await page.getByRole('combobox', { name: 'To' }).pressSequentially('a');
    await page.keyboard.press('ArrowDown');
    await page.getByRole('option', { selected: true }).waitFor();
    await sound(page, 'a new message with names to choose from');
    await page.getByRole('combobox', { name: 'To' }).fill('no name!');
    await page.getByRole('textbox', { name: 'Message', exact: true }).fill('hello');
    await page.getByRole('button', { name: 'Send' }).last().click();
    await page.getByRole('alert').waitFor();
    await sound(page, 'a name that is none');
  },
  dialog: async (page, { url }) => {
    await page.goto(url + '/inbox/bob');
    await settled(page);
    await page.getByRole('button', { name: 'Clear', exact: true }).click();
    await page.getByRole('dialog', { name: /^Clear the mailbox/ }).waitFor();
    await sound(page, 'a question');
    await page.keyboard.press('Escape');
    for (const name of ['Settings', 'Keyboard keys']) {
      await press(page, name);
      await page.getByRole('dialog').waitFor();
      await sound(page, name);
      await page.keyboard.press('Escape');
    }
  },
  error: async (page, { url }) => {
    await page.route('**/api/history?*', route => route.fulfill({ status: 500, contentType: 'application/json',
      body: JSON.stringify({ ok: false, error: { kind: 'other', message: 'the store is broken', hint: 'run `postino doctor`' } }) }));
    await page.route('**/api/messages', route => route.fulfill({ status: 409, contentType: 'application/json',
      body: JSON.stringify({ ok: false, error: { kind: 'refused', message: 'the mailbox of bob is full', hint: 'let bob read first' } }) }));
    await page.goto(url + '/inbox/bob');
    await page.getByRole('alert').filter({ hasText: 'The store is broken' }).waitFor();
    await page.getByLabel('Message to bob').fill('will it go?');
    await page.keyboard.press('Control+Enter');
    await page.getByRole('alert').filter({ hasText: 'The mailbox of bob is full' }).waitFor();
    await sound(page, 'error');
    await page.goto(url + '/nowhere/at/all').catch(() => {});
    await page.goto(url + '/m/nothing');
    await page.getByText('Nothing at this address').waitFor();
    await sound(page, 'nothing there');
  },
};

describe('the looks of the page', { timeout: 900_000 }, () => {
  const room = visitors();
  let postino, thread;
  const look = ({ colorScheme, width }) => ({ colorScheme, viewport: { width, height: 720 } });

  before(async () => { postino = await Postino.start(); });
  after(() => postino?.stop());

  for (const how of LOOKS) {
    test(`empty, ${how.colorScheme}, ${how.width}`, async () => {
      const page = await room.open(postino.url, look(how));
      for (const path of ['/', '/inbox/web-ui', '/broadcasts']) {
        await page.goto(postino.url + path);
        await live(page);
        await settled(page);
        await sound(page, path);
      }
    });
  }

  for (const [state, show] of Object.entries(STATES)) {
    for (const how of LOOKS) {
      test(`${state}, ${how.colorScheme}, ${how.width}`, async () => {
        thread ??= await fill(postino);
        const page = await room.open(postino.url, look(how));
        await show(page, { url: postino.url, thread });
      });
    }
  }

  for (const how of LOOKS) {
    test(`offline, ${how.colorScheme}, ${how.width}`, async () => {
      const page = await room.open(postino.url + '/inbox/bob', look(how));
      await live(page);
      await settled(page);
      await postino.kill();
      try {
        await until('offline', async () => await page.locator('#wire').textContent() === 'Offline');
        await page.getByLabel('Message to bob').fill('Is anybody there?');
        await page.keyboard.press('Control+Enter');
        await page.getByRole('alert').filter({ hasText: 'does not answer' }).waitFor();
        await sound(page, 'offline');
        await page.evaluate(() => showRail(true));
        await sound(page, 'offline, with the rail');
      } finally {
        await postino.serve();
      }
    });
  }

  test('the page is one document of at most 60 KB, and nothing else is fetched for it', async () => {
    const text = await (await fetch(postino.url + '/')).text();
    const weight = gzipSync(text).length;
    assert.ok(weight <= 60 * 1024, `${weight} bytes`);
    const asked = [];
    room.context = await room.chrome.newContext();
    room.context.on('request', request => asked.push(new URL(request.url())));
    const page = await room.open(postino.url + '/inbox/bob');
    await live(page);
    await settled(page);
    const foreign = asked.filter(url => url.origin !== postino.url && url.protocol !== 'data:');
    assert.deepEqual(foreign, []);
    const files = asked.filter(url => url.origin === postino.url && !url.pathname.startsWith('/api/')).map(url => url.pathname);
    assert.deepEqual(files, ['/inbox/bob']);
  });
});
