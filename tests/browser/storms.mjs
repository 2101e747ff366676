// What a page lives through: the server's child and the server itself are killed while mail arrives, and the store goes away
// for a while. Nothing may be missing and nothing double. Knows how to make the weather; how much of it is handed in.

import assert from 'node:assert/strict';
import { live, until } from './support.mjs';

const sleep = ms => new Promise(done => setTimeout(done, ms));

// Sends `count` messages to a name, some at a time, each until it is accepted once; `done` of the answer grows meanwhile.
export function arrivals(postino, to, count, { senders = 4 } = {}) {
  const progress = { done: 0 };
  let next = 0;
  async function sender(who) {
    for (let i; (i = next++) < count;) {
      await until('the message to be accepted', async () => await postino.send(`sender-${who}`, to, `number ${i}.`, { key: `arrival-${to}-${i}` }), 60_000);
      progress.done++;
      await sleep(5);
    }
  }
  progress.all = Promise.all(Array.from({ length: senders }, (_, who) => sender(who)));
  return progress;
}

// What a page shows of a mailbox, by the numbers of the messages, in its order.
export const numbers = page => page.evaluate(() => view.feed.items.map(item => Number(/^number (\d+)\.$/.exec(item.body)?.[1])));

// Every number once, as each page has it, and as the store has it.
export async function nothingMissing(postino, pages, to, count) {
  const wanted = Array.from({ length: count }, (_, i) => i), queue = [];
  for (let offset = 0; offset < count; offset += 200) queue.push(...(await postino.get(`/api/messages/${to}?limit=200&offset=${offset}`)).items.map(item => item.id));
  for (const page of pages) {
    // At the end of the story the page asks for nothing more; until then it may be on its way.
    await until('all of them', async () => (await numbers(page)).length >= count, 30_000).catch(() => {});
    const shown = await numbers(page);
    assert.deepEqual(wanted.filter(i => !shown.includes(i)), [], 'nothing is missing');
    assert.equal(shown.length, count, 'nothing is double');
    const ids = await page.evaluate(() => view.feed.items.map(item => item.id));
    assert.ok(ids.every((id, i) => id === queue[i]), 'the order is that of the mailbox');
    const drawn = await page.getByRole('article').evaluateAll(articles => articles.map(article => article.dataset.id));
    assert.equal(new Set(drawn).size, drawn.length, 'nothing is drawn twice');
    assert.equal(drawn.at(-1), ids.at(-1), 'the newest one is drawn');
  }
  assert.equal((await postino.get('/api/messages/' + to)).total, count);
}

// Under arrivals, kills the child of the server each time another part of them was accepted; and after half of them the
// server itself. `pages` look at the mailbox meanwhile.
export async function storm(postino, pages, to, { count, kills }) {
  await Promise.all(pages.map(live));
  const progress = arrivals(postino, to, count);
  for (let kill = 1; kill <= kills; kill++) {
    await until('some of them', () => progress.done >= kill * count / (kills + 1), 120_000);
    if (kill === Math.ceil(kills / 2)) {
      await postino.kill();
      await sleep(600);
      await postino.serve();
    } else postino.killChild();
  }
  await progress.all;
  await Promise.all(pages.map(page => until('the wire', async () => await page.locator('#wire').textContent() === 'Live', 30_000)));
  await nothingMissing(postino, pages, to, count);
}
