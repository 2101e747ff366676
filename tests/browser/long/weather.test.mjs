// The same bad weather for longer: five hundred arrivals under ten kills, the store away twice, and an idle page for more
// than a minute.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { arrivals, nothingMissing, storm } from '../storms.mjs';
import { Postino, STORES, live, settled, until, visitors } from '../support.mjs';

for (const store of STORES) {
  describe(`long bad weather on ${store}`, { timeout: 900_000 }, () => {
    const room = visitors();
    let postino;

    before(async () => { postino = await Postino.start(store); });
    after(() => postino?.stop());

    test('five hundred arrivals, the child killed nine times and the server once', async () => {
      const pages = [];
      for (let i = 0; i < 3; i++) pages.push(await room.open(postino.url + '/inbox/stormy'));
      await storm(postino, pages, 'stormy', { count: 500, kills: 10 });
    });

    test('five hundred arrivals while the store is killed and comes back', { skip: store === 'embedded' && 'it has no server' }, async () => {
      const page = await room.open(postino.url + '/inbox/keeper');
      await live(page);
      const progress = arrivals(postino, 'keeper', 500);
      for (const done of [150, 300]) {
        await until('some of them', () => progress.done >= done, 120_000);
        await postino.killStore();
        await page.waitForTimeout(2_000);
        await postino.resumeStore();
      }
      await progress.all;
      await until('the wire', async () => await page.locator('#wire').textContent() === 'Live', 30_000);
      await nothingMissing(postino, [page], 'keeper', 500);
    });

    test('an idle page asks at most once a minute', async () => {
      const pages = [await room.open(postino.url + '/inbox/ann'), await room.open(postino.url + '/')];
      await Promise.all(pages.map(live));
      await Promise.all(pages.map(settled));
      await pages[0].waitForTimeout(5_000);
      const asked = [];
      for (const page of pages) page.on('request', request => asked.push(request.url()));
      await pages[0].waitForTimeout(62_000);
      assert.ok(asked.length <= pages.length, asked.join(' '));
    });
  });
}
