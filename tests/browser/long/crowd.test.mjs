// Ten thousand messages in one mailbox: the list, the search and scrolling stay quick, and the document stays small.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Postino, STORES, article, inTime, settled, until, visitors } from '../support.mjs';

const MANY = 10_000;
// The window of a long list, and what moving it may add.
const DRAWN = 240;

// From now on the page notes what keeps it from answering.
const watch = page => page.evaluate(() => {
  window.tasks = [];
  new PerformanceObserver(list => tasks.push(...list.getEntries().map(entry => entry.duration))).observe({ type: 'longtask' });
});

for (const store of STORES) {
  describe(`ten thousand messages on ${store}`, { timeout: 900_000 }, () => {
    const room = visitors();
    let postino;

    before(async () => {
      postino = await Postino.start(store, { env: { POSTINO_MAX_INBOX: '20000' } });
      for (let i = 0; i < MANY; i += 50) {
        await Promise.all(Array.from({ length: 50 }, (_, k) => postino.send(`agent-${(i + k) % 40}`, 'big', `number ${i + k} of ${['orders', 'payments', 'users'][k % 3]} ${'and more '.repeat(k % 12)}.`)));
      }
    });
    after(() => postino?.stop());

    test('the list is there, and walks to its beginning', async t => {
      const page = await room.open(postino.url + '/');
      await settled(page);
      const took = await page.evaluate(async () => {
        const began = performance.now();
        go('/inbox/big');
        while (!document.querySelector('main article')) await new Promise(requestAnimationFrame);
        return performance.now() - began;
      });
      inTime(t, 'the list', took, 1_000);
      await watch(page);
      let most = 0;
      for (let round = 0; ; round++) {
        assert.ok(round < 3_000, 'the beginning comes');
        const [end, drawn] = await page.evaluate(async () => {
          const roll = document.querySelector('.roll');
          roll.scrollTop = Math.max(0, roll.scrollTop - 3_000);
          await new Promise(requestAnimationFrame);
          return [view.feed.done && view.roll.low === 0 && roll.scrollTop === 0, document.querySelectorAll('main article').length];
        });
        most = Math.max(most, drawn);
        if (end) break;
      }
      const ids = await page.evaluate(() => view.feed.items.map(item => item.id));
      assert.equal(ids.length, MANY);
      assert.equal(new Set(ids).size, MANY);
      assert.ok(most <= DRAWN, `${most} messages in the document`);
      inTime(t, 'the longest task while scrolling', Math.max(0, ...await page.evaluate(() => tasks)), 200);
      await page.getByRole('button', { name: 'Newest' }).click();
      await until('the end', () => page.evaluate(() => document.querySelector('main article:last-of-type').dataset.id === view.feed.items.at(-1).id));
      // What comes now is shown as with ten.
      await postino.send('ann', 'big', 'one more for the crowd');
      await article(page, 'one more for the crowd').waitFor({ timeout: 30_000 });
    });

    test('each keystroke of a search is answered at once', async t => {
      const page = await room.open(postino.url + '/search');
      await until('all to be looked through', () => page.evaluate(() => view.element && !/so far/.test(document.querySelector('.under[role=status]').textContent) && world.records.size > 10_000), 120_000);
      const field = page.getByRole('searchbox', { name: 'Search' });
      await field.focus();
      const slowest = [];
      for (const text of ['payments number 99', 'agent-7', 'zzz', 'and more']) {
        await field.fill('');
        for (let n = 1; n <= text.length; n++) {
          slowest.push(await page.evaluate(async typed => {
            const field = document.querySelector('#search'), began = performance.now();
            field.value = typed;
            field.dispatchEvent(new Event('input'));
            await new Promise(drawn => requestAnimationFrame(() => setTimeout(drawn)));
            return performance.now() - began;
          }, text.slice(0, n)));
        }
        assert.ok(await page.getByRole('article').count() <= DRAWN);
      }
      slowest.sort((a, b) => a - b);
      inTime(t, 'a keystroke (nine of ten)', slowest[Math.floor(slowest.length * 0.9)], 100);
      await field.fill('number 9999 of');
      await article(page, 'number 9999 of').waitFor();
      assert.ok(await page.getByRole('article').count() < 10, 'and little else: an id may hold the same figures');
    });
  });
}
