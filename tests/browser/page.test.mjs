// What a person does with the page: each feature once, on every store.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { PATIENCE, Postino, STORES, axe, browser, until, visit } from './support.mjs';

const article = (page, text) => page.getByRole('article').filter({ hasText: text });
const live = page => until('the wire', async () => await page.locator('#wire').getAttribute('data-link') === 'live');
const count = (page, place) => page.locator('#places li', { hasText: place }).locator('.count').textContent({ timeout: 100 }).then(parseInt, () => 0);

// The first message that a page sends arrives, and its answer is lost; how often it was sent.
async function losesTheFirstAnswer(page) {
  let sent = 0;
  await page.route('**/api/messages', async route => {
    if (route.request().method() !== 'POST' || sent++) return route.continue();
    await route.fetch();
    await route.abort();
  });
  return () => sent;
}

// Holds back what a page sends, until what is given back is called.
async function holdsItsMessages(page) {
  let go;
  const held = new Promise(resolve => { go = resolve; });
  await page.unroute('**/api/messages');
  await page.route('**/api/messages', async route => {
    if (route.request().method() === 'POST') await held;
    await route.continue();
  });
  return go;
}

for (const store of STORES) {
  describe(`the page on ${store}`, { timeout: 900_000 }, () => {
    let postino, chrome, context, pages = [];

    before(async () => {
      postino = await Postino.start(store);
      chrome = await browser();
    });
    after(async () => {
      await chrome?.close();
      await postino?.stop();
    });
    afterEach(async () => {
      const faults = pages.flatMap(page => page.faults);
      pages = [];
      await context?.close();
      context = null;
      assert.deepEqual(faults, [], 'nothing went wrong in the page');
    });

    async function open(path, options = {}) {
      context ??= await chrome.newContext({ viewport: { width: 1280, height: 800 }, ...options });
      const page = await visit(context, postino.url + path);
      pages.push(page);
      return page;
    }

    test('a conversation shows what was sent and received, its read marks, and what comes', async () => {
      await postino.send('ann', 'bob', 'first from ann');
      await postino.send('bob', 'ann', 'first from bob');
      const page = await open('/inbox/bob');
      await article(page, 'first from ann').getByText('waiting').waitFor();
      await article(page, 'first from bob').waitFor();
      await live(page);
      await postino.send('cem', 'bob', 'it is live');
      await article(page, 'it is live').waitFor({ timeout: PATIENCE });
      postino.cli('--agent', 'bob', 'read');
      await article(page, 'first from ann').getByText('read by bob').waitFor({ timeout: PATIENCE });
    });

    test('mail for the person is unread until it is seen, and then taken', async () => {
      const { id } = await postino.send('dee', 'web-ui', 'look at me');
      const page = await open('/');
      await until('the count', async () => await count(page, 'Your mail') > 0);
      assert.match(await page.title(), /^\(\d+\) /);
      const favicon = () => page.locator('#favicon').getAttribute('href');
      assert.match(decodeURIComponent(await favicon()), /circle/);
      assert.equal((await postino.get('/api/history/' + id)).standing, 'waiting');
      await page.locator('#agents').getByRole('link', { name: /^dee\b.*1 for you/ }).click();
      await article(page, 'look at me').getByText('new', { exact: true }).waitFor();
      await until('the ack', async () => (await postino.get('/api/history/' + id)).standing === 'taken');
      await until('no count', async () => await count(page, 'Your mail') === 0);
      const record = await postino.get('/api/history/' + id);
      assert.deepEqual([record.takenBy, record.deliveries], ['web-ui', 1]);
      await page.getByRole('link', { name: 'Overview' }).click();
      await page.reload();
      await until('read stays read', async () => await count(page, 'Your mail') === 0);
    });

    test('writing sends once, also by a double click, and keeps the text when it fails', async () => {
      const page = await open('/inbox/eve');
      await live(page);
      const field = page.getByLabel('Message to eve');
      await field.fill('only once');
      await page.getByRole('button', { name: 'Send' }).dblclick();
      await article(page, 'only once').waitFor();
      assert.equal(await field.inputValue(), '');
      await postino.kill();
      await field.fill('through a failure');
      await page.keyboard.press('Control+Enter');
      const alert = page.getByRole('alert').filter({ hasText: 'Not sent; your text is kept.' });
      await alert.waitFor();
      assert.equal(await field.inputValue(), 'through a failure');
      await page.waitForFunction(() => localStorage.getItem('postino.draft.to.eve')?.includes('through a failure'));
      await postino.serve();
      await page.reload();
      assert.equal(await field.inputValue(), 'through a failure', 'the draft survives');
      await page.getByRole('button', { name: 'Send' }).click();
      await article(page, 'through a failure').waitFor();
      const { items } = await postino.get('/api/messages/eve');
      assert.deepEqual(items.map(item => item.body), ['only once', 'through a failure']);
      assert.deepEqual(items.map(item => [item.from, item.via]), [['web-ui', 'gui'], ['web-ui', 'gui']]);
    });

    test('what is written while a message is on its way stays, and what was sent is shown no more', async () => {
      const page = await open('/inbox/ida'), other = await open('/inbox/ida');
      await live(page);
      let answer = await holdsItsMessages(page);
      const field = page.getByLabel('Message to ida'), draft = () => page.evaluate(() => localStorage.getItem('postino.draft.to.ida'));
      await field.fill('first');
      await page.keyboard.press('Control+Enter');
      await field.fill('second');
      answer();
      await article(page, 'first').waitFor();
      await until('the send to end', async () => await page.getByRole('button', { name: 'Send' }).getAttribute('aria-disabled') === null);
      assert.equal(await field.inputValue(), 'second');
      assert.match(await draft(), /second/);
      // The page is left and entered again, and opened in another tab, while the second is on its way.
      await other.reload();
      assert.equal(await other.getByLabel('Message to ida').inputValue(), 'second');
      answer = await holdsItsMessages(page);
      await page.keyboard.press('Control+Enter');
      await page.getByRole('link', { name: 'Overview' }).click();
      await page.goBack();
      assert.equal(await field.inputValue(), 'second');
      answer();
      await until('the field to be empty', async () => await field.inputValue() === '');
      await until('the other tab', async () => await other.getByLabel('Message to ida').inputValue() === '');
      assert.equal(await draft(), null);
      // What is changed in the form entered again is another message.
      answer = await holdsItsMessages(page);
      await field.fill('third');
      await page.keyboard.press('Control+Enter');
      await page.getByRole('link', { name: 'Overview' }).click();
      await page.goBack();
      await field.fill('third, and more');
      answer();
      await article(page, 'third').waitFor();
      assert.equal(await field.inputValue(), 'third, and more');
      assert.match(await draft(), /third, and more/);
      assert.deepEqual((await postino.get('/api/messages/ida')).items.map(item => item.body), ['first', 'second', 'third']);
    });

    test('a browser that keeps nothing does not double what is tried again either', async () => {
      const page = await open('/');
      await page.addInitScript(() => {
        for (const name of ['getItem', 'setItem', 'removeItem']) Storage.prototype[name] = () => { throw new Error('forbidden'); };
      });
      await page.goto(postino.url + '/inbox/jon');
      await live(page);
      const sends = await losesTheFirstAnswer(page);
      await page.getByLabel('Message to jon').fill('once all the same');
      await page.keyboard.press('Control+Enter');
      await page.getByRole('button', { name: 'Try again' }).click();
      await until('the field to be empty', async () => await page.getByLabel('Message to jon').inputValue() === '');
      assert.deepEqual([(await postino.get('/api/messages/jon')).total, sends()], [1, 2]);
    });

    test('a send whose answer is lost is not doubled by trying again', async () => {
      const page = await open('/inbox/fay');
      await live(page);
      const sends = await losesTheFirstAnswer(page);
      await page.getByLabel('Message to fay').fill('with an unknown fate');
      await page.keyboard.press('Control+Enter');
      await page.getByRole('button', { name: 'Try again' }).click();
      await until('the field to be empty', async () => await page.getByLabel('Message to fay').inputValue() === '');
      assert.equal((await postino.get('/api/messages/fay')).total, 1);
      assert.equal(sends(), 2);
    });

    test('a new message completes names, and goes to a name that nobody has', async () => {
      await postino.send('gus-the-first', 'somebody', 'I am here');
      const page = await open('/');
      await until('the agent', () => page.locator('#agents').getByRole('link', { name: /^gus-the-first/ }).count());
      await page.getByRole('button', { name: 'New message' }).click();
      const to = page.getByRole('combobox', { name: 'To' });
      await to.pressSequentially('gus');
      await page.getByRole('option', { name: /gus-the-first/ }).waitFor();
      assert.equal(await to.getAttribute('aria-expanded'), 'true');
      await page.keyboard.press('ArrowDown');
      const chosen = await page.getByRole('option', { selected: true }).getAttribute('id');
      assert.equal(await to.getAttribute('aria-activedescendant'), chosen);
      await page.keyboard.press('Escape');
      assert.equal(await to.getAttribute('aria-expanded'), 'false');
      assert.ok(await page.getByRole('dialog').isVisible(), 'Esc closes the list first');
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
      assert.equal(await to.inputValue(), 'gus-the-first');
      await to.fill('not a name!');
      await page.getByLabel('Message', { exact: true }).fill('to nobody yet');
      await page.getByRole('button', { name: 'Send' }).click();
      await page.getByRole('alert').filter({ hasText: 'A name is' }).waitFor();
      await to.fill('nobody-yet');
      await page.getByText('Nobody has this name yet.').waitFor();
      await page.getByRole('button', { name: 'Send' }).click();
      await page.getByRole('status').filter({ hasText: 'Sent to nobody-yet' }).waitFor();
      assert.equal(await page.getByRole('dialog').count(), 0);
      assert.equal((await postino.get('/api/messages/nobody-yet')).items[0].body, 'to nobody yet');
      assert.ok(await page.getByRole('button', { name: 'New message' }).evaluate(it => it === document.activeElement), 'the focus is back');
    });

    test('answers make a thread', async () => {
      const first = await postino.send('hal', 'web-ui', 'shall I?');
      await postino.send('hal', 'web-ui', 'something else');
      const page = await open('/inbox/hal');
      await article(page, 'shall I?').getByRole('button', { name: 'Reply' }).click();
      await page.getByText('Answering hal').waitFor();
      await page.keyboard.type('yes, do');
      await page.keyboard.press('Control+Enter');
      await article(page, 'yes, do').getByRole('link', { name: /answers hal: shall I/ }).click();
      await page.waitForURL('**/thread/' + first.id);
      await article(page, 'yes, do').waitFor();
      assert.deepEqual(await page.getByRole('article').locator('.body').allTextContents(), ['shall I?', 'yes, do']);
      await live(page);
      await postino.send('hal', 'web-ui', 'it is done', { replyTo: first.id });
      await article(page, 'it is done').waitFor({ timeout: PATIENCE });
      await page.getByLabel('Answer in this thread').fill('thanks');
      await page.keyboard.press('Control+Enter');
      await article(page, 'thanks').waitFor();
      const { items } = await postino.get('/api/messages/hal');
      assert.deepEqual(items.map(item => [item.body, item.thread]), [['yes, do', first.id], ['thanks', first.id]]);
    });

    test('a press is a click also when what is pressed changes under it', async () => {
      const { id } = await postino.send('ann', 'kit', 'ready?');
      const page = await open('/inbox/kit');
      await live(page);
      // Lets something happen while the pointer is down, and gives the page twice its pace to draw it.
      async function press(control, happens, known) {
        await control.hover();
        await page.mouse.down();
        await happens();
        await until('the page knows', () => page.evaluate(known, id));
        await page.waitForTimeout(500);
        await page.mouse.up();
      }
      await press(article(page, 'ready?').getByRole('button', { name: 'Reply' }), () => postino.cli('--agent', 'kit', 'read'),
        id => world.records.get(id).standing === 'taken');
      await page.getByText('Answering ann').waitFor();
      await article(page, 'ready?').getByRole('button', { name: 'Delete' }).waitFor({ state: 'detached' });
      // One that comes first moves the others.
      await press(page.locator('#agents').getByRole('link', { name: /^ann\b/ }), () => postino.send('aaron', 'kit', 'hello'),
        () => world.agents.has('aaron'));
      await page.waitForURL('**/inbox/ann');
      await page.locator('#agents').getByRole('link', { name: /^aaron\b/ }).waitFor();
    });

    test('broadcasts are shown, heard when seen, and made', async () => {
      const page = await open('/');
      await live(page);
      await postino.announce('ci-bot', 'Deploy freeze until Monday.');
      await until('the count', async () => await count(page, 'Broadcasts') === 1);
      await page.getByRole('link', { name: 'Broadcasts' }).click();
      await article(page, 'Deploy freeze').waitFor();
      await until('no count', async () => await count(page, 'Broadcasts') === 0);
      assert.equal((await postino.get('/api/check/web-ui')).unseenBroadcasts, 0);
      await postino.announce('infra', 'somebody left', { kind: 'notice' });
      await article(page, 'somebody left').waitFor({ timeout: PATIENCE });
      await page.getByLabel('Broadcast to everybody').fill('hear, hear');
      await page.keyboard.press('Control+Enter');
      await article(page, 'hear, hear').waitFor();
      assert.match(postino.cli('--agent', 'ivy', 'broadcasts').stdout, /from web-ui[^]*hear, hear/);
    });

    test('clear and delete ask first', async () => {
      await postino.send('ann', 'jim', 'keep me');
      await postino.send('ann', 'jim', 'delete me');
      const page = await open('/inbox/jim');
      const total = async () => (await postino.get('/api/messages/jim')).total;
      await article(page, 'delete me').getByRole('button', { name: 'Delete' }).click();
      await page.getByRole('button', { name: 'Cancel' }).click();
      assert.equal(await total(), 2);
      await article(page, 'delete me').getByRole('button', { name: 'Delete' }).click();
      await page.getByRole('button', { name: 'Delete message' }).click();
      await article(page, 'delete me').waitFor({ state: 'detached' });
      assert.equal(await total(), 1);
      await page.getByRole('button', { name: 'Clear' }).click();
      await page.keyboard.press('Escape');
      assert.equal(await total(), 1);
      await page.getByRole('button', { name: 'Clear' }).click();
      await page.getByRole('button', { name: 'Clear mailbox' }).click();
      await until('the end', async () => await total() === 0);
    });

    test('search looks through all of history, and the address keeps it', async () => {
      for (let i = 0; i < 230; i++) await postino.send('kim', `box-${i % 3}`, i === 3 ? 'a needle in it' : `hay number ${i}`);
      const page = await open('/search');
      await page.getByRole('searchbox', { name: 'Search' }).fill('needle KIM');
      await article(page, 'a needle in it').waitFor();
      assert.equal(await page.getByRole('article').count(), 1);
      assert.equal(await page.locator('mark').first().textContent(), 'needle');
      await page.waitForURL('**/search?q=needle%20KIM');
      await page.reload();
      await article(page, 'a needle in it').waitFor();
      await page.getByRole('searchbox', { name: 'Search' }).fill('nothing like this');
      await page.getByText('Nothing found').waitFor();
    });

    test('addresses lead to their view; back, forward and reload keep place and focus', async () => {
      const ids = [];
      for (let i = 0; i < 120; i++) ids.push((await postino.send('lea', 'max', `number ${i}.`)).id);
      const page = await open('/inbox/max');
      await article(page, 'number 119.').waitFor();
      await page.locator('.roll').evaluate(roll => { roll.scrollTop = 0; });
      await article(page, 'number 20.').scrollIntoViewIfNeeded();
      const at = () => article(page, 'number 20.').evaluate(it => Math.round(it.getBoundingClientRect().top));
      await article(page, 'number 20.').focus();
      const place = await at();
      await article(page, 'number 20.').locator('a.at').click();
      await page.waitForURL('**/m/' + ids[20]);
      await page.getByText('Came by').waitFor();
      const near = async what => until(what, async () => Math.abs(await at() - place) < 60 && page.evaluate(() =>
        document.activeElement.closest('article')?.textContent.includes('number 20.')));
      await page.goBack();
      await near('place and focus after going back');
      await page.waitForTimeout(800);
      await page.reload();
      await near('place and focus after a reload');
      await page.goForward();
      await page.getByText('Came by').waitFor();
      for (const [path, text] of [['/broadcasts', 'Broadcasts'], ['/thread/' + ids[0], 'number 0.'], ['/', 'Overview']]) {
        await page.goto(postino.url + path);
        await page.getByRole('heading', { level: 1, name: text }).waitFor();
      }
      for (const path of ['/m/0190b2c4-0000-7000-8000-000000000000', '/thread/0190b2c4-0000-7000-8000-000000000000', '/m/nothing', '/inbox/no%20name']) {
        await page.goto(postino.url + path);
        await page.getByText('Nothing at this address').waitFor();
      }
    });

    test('the keys work, move nothing while one writes, and can be switched off', async () => {
      for (const body of ['one', 'two', 'three']) await postino.send('ned', 'typist', body);
      const page = await open('/');
      await page.evaluate(() => localStorage.setItem('postino.name', 'typist'));
      await page.reload();
      await page.locator('#agents').getByRole('link', { name: /^ned/ }).waitFor();
      await until('the mail', async () => await count(page, 'Your mail') > 2);
      await page.locator('#title').focus();
      await page.keyboard.press('n');
      await page.waitForURL('**/inbox/ned');
      await article(page, 'three').waitFor();
      await page.keyboard.press('k');
      await page.keyboard.press('k');
      const active = () => page.evaluate(() => document.activeElement.querySelector?.('.body')?.textContent);
      assert.equal(await active(), 'two');
      await page.keyboard.press('j');
      assert.equal(await active(), 'three');
      await page.keyboard.press('r');
      await page.getByText('Answering ned').waitFor();
      await page.keyboard.type('jkrcn/?');
      assert.equal(await page.getByLabel('Message to ned').inputValue(), 'jkrcn/?');
      await page.keyboard.press('Escape');
      await page.keyboard.press('Escape');
      assert.equal(await active(), 'three');
      await page.keyboard.press('Enter');
      await page.waitForURL('**/thread/*');
      await page.keyboard.press('/');
      await page.waitForURL('**/search');
      assert.equal(await page.evaluate(() => document.activeElement.id), 'search');
      await page.keyboard.press('Escape');
      await page.keyboard.press('c');
      await page.getByRole('dialog', { name: 'New message' }).waitFor();
      await page.keyboard.press('Escape');
      await page.keyboard.press('?');
      await page.getByRole('dialog', { name: 'Keys' }).getByRole('switch', { name: 'Keys on' }).uncheck();
      await page.keyboard.press('Escape');
      await page.keyboard.press('c');
      await page.keyboard.press('?');
      assert.equal(await page.getByRole('dialog').count(), 0);
    });

    test('the theme is that of the system, or the chosen one, from the first frame on', async () => {
      const page = await open('/', { colorScheme: 'dark' });
      const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
      const dark = await ground();
      await page.getByRole('button', { name: 'Settings' }).click();
      await page.getByRole('radio', { name: 'Light' }).check();
      const light = await ground();
      assert.notEqual(light, dark);
      // The theme stands before the body does.
      await page.addInitScript(() => new MutationObserver((_, observer) => {
        if (!document.body) return;
        window.firstTheme = document.documentElement.dataset.theme;
        observer.disconnect();
      }).observe(document, { childList: true, subtree: true }));
      await page.reload();
      assert.equal(await page.evaluate(() => window.firstTheme), 'light');
      assert.equal(await ground(), light);
    });

    test('the overview counts, draws the day, and logs what happens', async () => {
      const page = await open('/');
      await live(page);
      await page.getByRole('img', { name: /messages in 24 hours/ }).waitFor();
      await page.getByText('As a table').click();
      assert.equal(await page.locator('.columns tbody tr').count(), 24);
      await postino.send('ola', 'pat', 'something');
      const line = page.locator('.log li', { hasText: 'ola wrote to pat' });
      await line.waitFor({ timeout: PATIENCE });
      await line.locator('a.at').click();
      await page.waitForURL('**/m/*');
      await page.locator('.body', { hasText: 'something' }).waitFor();
    });

    test('the person may have another name', async () => {
      const page = await open('/');
      await page.getByRole('button', { name: 'Settings' }).click();
      await page.getByLabel('From name').fill('the boss');
      await page.getByRole('button', { name: 'Use this name' }).click();
      await page.getByRole('alert').filter({ hasText: 'not a legal name' }).waitFor();
      await page.getByLabel('From name').fill('boss');
      await page.getByRole('button', { name: 'Use this name' }).click();
      await until('the name', async () => await page.locator('#me').textContent() === 'boss');
      await page.goto(postino.url + '/inbox/quin');
      await page.getByLabel('Message to quin').fill('from the boss');
      await page.keyboard.press('Control+Enter');
      await article(page, 'from the boss').waitFor();
      assert.equal((await postino.get('/api/messages/quin')).items[0].from, 'boss');
    });

    test('offline is shown, and what was missed is there afterwards, once', async () => {
      const page = await open('/inbox/rob');
      await live(page);
      await postino.kill();
      await until('offline', async () => await page.locator('#wire').textContent() === 'Offline', PATIENCE);
      for (let i = 0; i < 8; i++) assert.equal(postino.cli('--agent', 'sue', 'send', 'rob', `missed ${i}.`).status, 0);
      await postino.serve();
      await until('live', async () => await page.locator('#wire').textContent() === 'Live', PATIENCE);
      await article(page, 'missed 7.').waitFor({ timeout: PATIENCE });
      const bodies = await page.getByRole('article').locator('.body').allTextContents();
      assert.deepEqual(bodies, Array.from({ length: 8 }, (_, i) => `missed ${i}.`));
    });

    test('tabs share one stream, and the next one goes on when the first closes', async () => {
      const first = await open('/inbox/tom'), second = await open('/inbox/tom'), third = await open('/');
      await Promise.all([first, second, third].map(live));
      await postino.send('uma', 'tom', 'to all tabs');
      for (const page of [first, second]) await article(page, 'to all tabs').waitFor({ timeout: PATIENCE });
      await third.getByText('uma').first().waitFor({ timeout: PATIENCE });
      const leads = page => page.evaluate(() => live.leads);
      assert.deepEqual([await leads(first), await leads(second), await leads(third)], [true, false, false]);
      await first.close();
      await until('another leader', async () => await leads(second) || await leads(third));
      await postino.send('uma', 'tom', 'after the first closed');
      await article(second, 'after the first closed').waitFor({ timeout: PATIENCE });
    });

    test('notifications are asked for by a click, and come when nobody looks', async () => {
      const page = await open('/');
      await page.addInitScript(() => {
        window.shown = [];
        window.Notification = class { constructor(title, options) { shown.push({ title, ...options }); } static permission = 'default'; static async requestPermission() { return this.permission = 'granted'; } };
        Object.defineProperty(document, 'hidden', { get: () => window.away ?? false });
      });
      await page.reload();
      await live(page);
      await page.getByRole('button', { name: 'Settings' }).click();
      await page.getByRole('switch', { name: 'Notifications' }).check();
      await page.keyboard.press('Escape');
      await postino.send('vic', 'web-ui', 'while you look');
      await until('the count', async () => await count(page, 'Your mail') > 0);
      await page.evaluate(() => { window.away = true; });
      for (const body of ['while you are away', 'at once again']) await postino.send('vic', 'web-ui', body);
      await until('the notification', () => page.evaluate(() => shown.length));
      await until('both', async () => await count(page, 'Your mail') > 2);
      const shown = await page.evaluate(() => window.shown);
      assert.deepEqual(shown.map(note => note.title), ['Mail from vic'], 'one in two seconds');
    });

    test('the page is one small file', async () => {
      const page = await open('/inbox/ann');
      await live(page);
      const files = await page.evaluate(() => performance.getEntriesByType('resource').map(entry => new URL(entry.name).pathname).filter(path => !path.startsWith('/api/')));
      assert.deepEqual(files, []);
      const document = await (await fetch(postino.url)).arrayBuffer();
      assert.ok(gzipSync(Buffer.from(document)).length <= 60 * 1024);
    });

    test('mail between the person and an agent can be looked at alone', async () => {
      await postino.send('wes', 'xan', 'among agents');
      await postino.send('wes', 'web-ui', 'to the person');
      const page = await open('/inbox/wes');
      await article(page, 'among agents').waitFor();
      await page.getByRole('link', { name: 'With you' }).click();
      await article(page, 'to the person').waitFor();
      await until('only one', async () => await page.getByRole('article').count() === 1);
      assert.equal(new URL(page.url()).search, '?with=you');
    });

    test('the rail finds an agent by a part of its name, also behind the first thousand', async () => {
      await Promise.all(Array.from({ length: 1_000 }, (_, n) => postino.send('ann', 'crowd-' + n, 'hello')));
      await postino.send('zebra', 'ann', 'here I am');
      const page = await open('/');
      await live(page);
      await page.locator('#find').fill('ebr');
      await page.locator('#agents').getByRole('link', { name: /^zebra/ }).waitFor();
      assert.equal(await page.locator('#agents').getByRole('link').count(), 1);
      await page.locator('#find').fill('nobody-is-called-so');
      await page.getByText('No agent has such a name.').waitFor();
    });

    test('an idle page asks for nothing', async () => {
      const page = await open('/inbox/ann');
      const asked = [];
      let last = Date.now();
      page.on('request', request => { asked.push(request.url()); last = Date.now(); });
      await live(page);
      await until('the first rush to be over', () => Date.now() - last > 2_500, 30_000);
      asked.length = 0;
      await page.waitForTimeout(6_000);
      assert.deepEqual(asked, []);
    });

    test('axe finds nothing in the views, in both themes, wide and narrow', { skip: store !== 'embedded' && 'the store does not show' }, async () => {
      const { id } = await postino.send('ann', 'web-ui', 'for axe');
      for (const colorScheme of ['light', 'dark']) {
        for (const width of [1280, 320]) {
          const page = await open('/', { colorScheme, viewport: { width, height: 720 } });
          for (const path of ['/', '/inbox/ann', '/inbox/web-ui', '/broadcasts', '/search?q=for', '/thread/' + id, '/m/' + id, '/inbox/nobody']) {
            await page.goto(postino.url + path);
            await live(page);
            await until('the view', () => page.evaluate(() => !document.querySelector('[aria-busy=true]:not([hidden] *)')));
            assert.deepEqual(await axe(page), [], `${path} ${colorScheme} ${width}`);
            assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, `${path} fits ${width}`);
          }
          await context.close();
          context = null;
        }
      }
    });
  });
}
