// Ways into the page and out of it: addresses of every kind, drafts of every kind, double clicks, and the unread in title and
// icon over time.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Postino, STORES, article, live, settled, until, visitors } from './support.mjs';

for (const store of STORES) {
  describe(`ways on ${store}`, { timeout: 600_000 }, () => {
    const room = visitors();
    let postino, first, answer;

    before(async () => {
      postino = await Postino.start(store);
      first = await postino.send('ann', 'bob', 'the question');
      answer = await postino.send('bob', 'ann', 'the answer', { replyTo: first.id });
      await postino.send('web-ui', 'bob', 'from the person');
      await postino.announce('ci-bot', 'Deploy freeze until Monday.');
    });
    after(() => postino?.stop());

    const fill = (page, label, text) => page.getByLabel(label).fill(text);
    const nobody = '0190b2c4-0000-7000-8000-000000000000';

    test('twelve addresses lead to their views: opened, by a link of the page, after a reload, and back again', async () => {
      const cases = [
        ['/', 'Overview', 'The last 24 hours'],
        ['/inbox/bob', 'bob', 'the question'],
        ['/inbox/bob?with=you', 'bob', 'from the person'],
        ['/inbox/web-ui', 'Your mail', 'from the person'],
        ['/inbox/not.yet_there-1', 'not.yet_there-1', 'No mail here'],
        ['/m/' + first.id, 'Message', 'the question'],
        ['/m/' + nobody, 'Message', 'Nothing at this address'],
        ['/thread/' + first.id, 'the question', 'the answer'],
        ['/broadcasts', 'Broadcasts', 'Deploy freeze'],
        ['/search', 'Search', 'Looks through'],
        ['/search?q=the%20answer', 'Search', 'the answer'],
        ['/inbox/no%20name', 'Not found', 'Nothing at this address'],
      ];
      const page = await room.open(postino.url + '/');
      const shows = async ([path, title, text]) => {
        await page.getByRole('heading', { level: 1, name: title, exact: true }).waitFor();
        await until(`${text} at ${path}`, () => page.evaluate(text => document.querySelector('main').innerText.includes(text), text));
        assert.equal(new URL(page.url()).pathname + new URL(page.url()).search, path);
        assert.match(await page.title(), /postino$/);
      };
      for (const one of cases) {
        await page.goto(postino.url + one[0]);
        await shows(one);
        await page.reload();
        await shows(one);
      }
      // The same without leaving the page, then back to where it began.
      await page.goto(postino.url + cases[0][0]);
      for (const one of cases.slice(1)) {
        await page.evaluate(path => go(path), one[0]);
        await shows(one);
      }
      for (const one of cases.slice(0, -1).reverse()) {
        await page.goBack();
        await shows(one);
      }
      assert.equal((await postino.get('/api/history/' + answer.id)).standing, 'waiting', 'looking takes nothing');
    });

    test('a draft keeps what it answers also when that cannot be fetched', async () => {
      const page = await room.open(postino.url + '/inbox/bob');
      await article(page, 'from the person').getByRole('button', { name: 'Reply' }).click();
      await page.getByText('Answering bob').waitFor();
      await fill(page, 'Message to bob', 'an answer to be');
      let asked = 0;
      await page.route(/\/api\/history/, route => { asked += 1; return route.abort(); });
      await page.reload();
      await until('the question for the message', () => asked > 0);
      await page.waitForTimeout(300);
      await page.unroute(/\/api\/history/);
      await page.reload();
      await page.getByText('Answering bob').waitFor();
      await fill(page, 'Message to bob', '');
      await page.getByRole('button', { name: 'Do not answer, write anew' }).click();
    });

    test('drafts of every kind survive a reload, each at its place', async () => {
      const page = await room.open(postino.url + '/inbox/bob');
      await article(page, 'from the person').getByRole('button', { name: 'Reply' }).click();
      await page.getByText('Answering bob').waitFor();
      await fill(page, 'Message to bob', 'an answer to be\nfinished — später');
      await page.getByLabel('Urgent').check();
      await page.goto(postino.url + '/inbox/ann');
      assert.equal(await page.getByLabel('Message to ann').inputValue(), '');
      await fill(page, 'Message to ann', 'for ann');
      await page.goto(postino.url + '/thread/' + first.id);
      await fill(page, 'Answer in this thread', 'for the thread');
      await page.goto(postino.url + '/broadcasts');
      await fill(page, 'Broadcast to everybody', 'for everybody');
      await page.getByRole('button', { name: 'New message' }).click();
      await page.getByRole('combobox', { name: 'To' }).fill('someone-new');
      await page.getByRole('textbox', { name: 'Message', exact: true }).fill('for someone new');
      // Another tab of the same person finds them, and so does this one.
      const other = await room.open(postino.url + '/inbox/bob');
      for (const tab of [other, page]) {
        await tab.goto(postino.url + '/inbox/bob');
        await tab.getByText(/^Answering/).waitFor();
        assert.equal(await tab.getByLabel('Message to bob').inputValue(), 'an answer to be\nfinished — später');
        assert.ok(await tab.getByLabel('Urgent').isChecked());
        await tab.goto(postino.url + '/thread/' + first.id);
        assert.equal(await tab.getByLabel('Answer in this thread').inputValue(), 'for the thread');
        await tab.goto(postino.url + '/broadcasts');
        assert.equal(await tab.getByLabel('Broadcast to everybody').inputValue(), 'for everybody');
        await tab.keyboard.press('c');
        assert.equal(await tab.getByRole('combobox', { name: 'To' }).inputValue(), 'someone-new');
        assert.equal(await tab.getByRole('textbox', { name: 'Message', exact: true }).inputValue(), 'for someone new');
        await tab.keyboard.press('Escape');
      }
      assert.equal((await postino.get('/api/messages/someone-new')).total, 0, 'a draft is not sent');
      // What was sent is no draft any more.
      await page.goto(postino.url + '/inbox/ann');
      await page.getByRole('button', { name: 'Send' }).click();
      await article(page, 'for ann').waitFor();
      await page.reload();
      await article(page, 'for ann').waitFor();
      assert.equal(await page.getByLabel('Message to ann').inputValue(), '');
    });

    test('pressed many times, every form sends once', async () => {
      const page = await room.open(postino.url + '/inbox/double');
      await live(page);
      await fill(page, 'Message to double', 'by clicks');
      await page.getByRole('button', { name: 'Send' }).click({ clickCount: 5 });
      await article(page, 'by clicks').waitFor();
      await fill(page, 'Message to double', 'by keys');
      await page.evaluate(() => {
        for (let i = 0; i < 5; i++) document.querySelector('.composer textarea').dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', ctrlKey: true, bubbles: true, cancelable: true }));
      });
      await article(page, 'by keys').waitFor();
      await page.goto(postino.url + '/broadcasts');
      await fill(page, 'Broadcast to everybody', 'once for all');
      await page.getByRole('button', { name: 'Send' }).dblclick();
      await article(page, 'once for all').waitFor();
      await settled(page);
      assert.deepEqual((await postino.get('/api/messages/double')).items.map(item => item.body), ['by clicks', 'by keys']);
      assert.equal((await postino.get('/api/broadcasts?all=true')).items.filter(item => item.body === 'once for all').length, 1);
    });

    test('title and icon tell of what is unread, in every tab, as it comes and goes', async () => {
      const away = await room.open(postino.url + '/inbox/bob'), reader = await room.open(postino.url + '/search');
      await Promise.all([away, reader].map(live));
      const dot = page => page.locator('#favicon').getAttribute('href').then(href => decodeURIComponent(href).includes('circle'));
      const says = (page, n) => until(`${n} in the title`, async () => (/^\((\d+)\)/.exec(await page.title())?.[1] ?? '0') === String(n));
      const base = await until('what waits', () => reader.evaluate(() => world.agentsKnown && [unreadTotal()]));
      for (const page of [away, reader]) await says(page, base[0]);
      const { id } = await postino.send('zoe', 'web-ui', 'one for the person');
      for (const page of [away, reader]) {
        await says(page, base[0] + 1);
        assert.ok(await dot(page));
      }
      // Another program reads it.
      await postino.post('/api/messages/web-ui/read', {});
      await until('the ack', async () => (await postino.get('/api/history/' + id)).standing === 'taken');
      for (const page of [away, reader]) await says(page, base[0]);
      await reader.evaluate(() => go('/broadcasts'));
      for (const page of [away, reader]) {
        await says(page, 0);
        await until('no dot', async () => !await dot(page));
      }
    });
  });
}
