// Bad weather: the server's child and the server die while mail arrives, the store goes away; many tabs look on. What takes
// long is in tests/browser/long.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { nothingMissing, storm } from './storms.mjs';
import { Postino, STORES, article, inTime, live, settled, until, visitors } from './support.mjs';

const wire = (page, text) => until(text, async () => await page.locator('#wire').textContent() === text, 30_000);

for (const store of STORES) {
  describe(`bad weather on ${store}`, { timeout: 600_000 }, () => {
    const room = visitors();
    let postino;

    before(async () => { postino = await Postino.start(store); });
    after(() => postino?.stop());

    test('under arrivals the child and the server are killed: nothing is missing, nothing double', async () => {
      const pages = [await room.open(postino.url + '/inbox/stormy'), await room.open(postino.url + '/inbox/stormy')];
      await storm(postino, pages, 'stormy', { count: 100, kills: 3 });
    });

    test('offline is shown at once, and live again soon after the server is back', async t => {
      const page = await room.open(postino.url + '/inbox/ann');
      await live(page);
      // The page itself notes the moment, for looking from outside takes its own time on a busy machine.
      await page.evaluate(() => {
        window.moments = {};
        new MutationObserver(() => { moments[$('wire').textContent] ??= Date.now(); }).observe($('wire'), { subtree: true, childList: true, characterData: true });
      });
      const killed = Date.now();
      await postino.kill();
      await wire(page, 'Offline');
      inTime(t, 'offline is shown', await page.evaluate(() => moments.Offline) - killed, 2_000);
      await page.waitForTimeout(1_500);
      await postino.serve();
      const back = Date.now();
      await wire(page, 'Live');
      inTime(t, 'live again', await page.evaluate(() => moments.Live) - back, 5_000);
      await postino.send('bob', 'ann', 'after all of it');
      await article(page, 'after all of it').waitFor();
    });

    test('the store goes away and comes back: what was sent before and after is there once', { skip: store === 'embedded' && 'it has no server' }, async () => {
      const page = await room.open(postino.url + '/inbox/keeper');
      await live(page);
      for (let i = 0; i < 5; i++) await postino.send('ann', 'keeper', `number ${i}.`);
      await article(page, 'number 4.').waitFor();
      await postino.killStore();
      const refused = await page.evaluate(() => fetch('/api/health').then(response => response.status));
      assert.equal(refused, 503);
      await page.getByLabel('Message to keeper').fill('number 5.');
      await page.keyboard.press('Control+Enter');
      await page.getByRole('alert').filter({ hasText: 'Not sent; your text is kept.' }).waitFor({ timeout: 30_000 });
      await postino.resumeStore();
      await until('the store to answer', async () => (await fetch(postino.url + '/api/health')).ok);
      await page.getByRole('button', { name: 'Try again' }).click();
      await article(page, 'number 5.').waitFor({ timeout: 30_000 });
      for (let i = 6; i < 10; i++) await postino.send('ann', 'keeper', `number ${i}.`);
      await article(page, 'number 9.').waitFor({ timeout: 30_000 });
      await wire(page, 'Live');
      await nothingMissing(postino, [page], 'keeper', 10);
    });

    test('eight tabs of one browser are all live, over one stream', async t => {
      let streams = 0, open = 0;
      room.context = await room.chrome.newContext({ viewport: { width: 1280, height: 800 } });
      room.context.on('request', request => { if (request.url().includes('/api/events')) { streams++; open++; } });
      room.context.on('requestfailed', request => { if (request.url().includes('/api/events')) open--; });
      const tabs = [];
      for (let i = 0; i < 8; i++) tabs.push(await room.open(postino.url + '/inbox/tabby'));
      await Promise.all(tabs.map(live));
      await Promise.all(tabs.map(settled));
      for (const tab of tabs) {
        await tab.evaluate(() => {
          window.came = [];
          const before = live.onEvent;
          live.onEvent = event => {
            if (event.type === 'message.sent') came.push([event.id, Date.now()]);
            before(event);
          };
        });
      }
      const sent = new Map();
      for (let i = 0; i < 10; i++) sent.set((await postino.send('ann', 'tabby', `number ${i}.`)).id, Date.now());
      await Promise.all(tabs.map(tab => until('ten', async () => (await tab.evaluate(() => came.length)) >= 10, 30_000)));
      const late = [];
      for (const tab of tabs) {
        const came = await tab.evaluate(() => came);
        assert.deepEqual(came.map(([id]) => id), [...sent.keys()], 'each tab hears of each one once, in order');
        late.push(...came.map(([id, at]) => at - sent.get(id)));
      }
      inTime(t, 'the last of ten events at the last of eight tabs', Math.max(...late), 1_000);
      await nothingMissing(postino, tabs, 'tabby', 10);
      assert.deepEqual([streams, open], [1, 1]);
      // The one that reads goes, seven are live still.
      await tabs.shift().close();
      await postino.send('ann', 'tabby', 'number 10.');
      await Promise.all(tabs.map(tab => article(tab, 'number 10.').waitFor({ timeout: 30_000 })));
      await nothingMissing(postino, tabs, 'tabby', 11);
    });
  });
}
