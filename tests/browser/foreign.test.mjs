// Foreign text stays text: ninety payloads as bodies, as names, as what the server says, in addresses, and in what the
// browser kept. None may run, and the policy may have nothing to refuse.

import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, describe, test } from 'node:test';
import { PAYLOADS } from './payloads.mjs';
import { Postino, STORES, article, live, settled, until, visitors } from './support.mjs';

// What no text of a message may become.
const ELEMENTS = 'script, iframe, object, embed, img, image, video, audio, base, meta, link, style, template, marquee, foreignObject, math, form:not(.composer)';

const foundIn = page => page.evaluate(list => [...document.body.querySelectorAll(list)].map(it => it.outerHTML.slice(0, 200)), ELEMENTS);

// Every handler that an attribute could carry gets its chance.
const poke = page => page.evaluate(() => {
  for (const element of document.querySelectorAll('main .body, main .body *, main .name, #agents *, .under *')) {
    for (const type of ['mouseover', 'mouseenter', 'focus', 'toggle', 'error', 'load', 'animationstart', 'begin']) element.dispatchEvent(new Event(type, { bubbles: true }));
  }
  return [...document.querySelectorAll('*')].flatMap(element => [...element.attributes]
    .filter(({ name, value }) => name.startsWith('on') || (['href', 'src', 'action', 'xlink:href'].includes(name) && /^\s*(java|vb)script:/i.test(value)))
    .map(({ name, value }) => `${element.tagName} ${name}=${value}`));
});

for (const store of STORES) {
  describe(`foreign text on ${store}`, { timeout: 600_000 }, () => {
    const room = visitors();
    let postino, hits;

    before(async () => { postino = await Postino.start(store); });
    after(() => postino?.stop());
    beforeEach(async () => {
      hits = [];
      room.context = await room.chrome.newContext({ viewport: { width: 1280, height: 800 } });
      await room.context.exposeBinding('pwned', (_, n) => { hits.push(n); });
    });
    afterEach(() => assert.deepEqual(hits, [], 'nothing ran'));

    async function harmless(page, where) {
      assert.deepEqual(await poke(page), [], where);
      assert.deepEqual(await foundIn(page), [], where);
    }

    test('as a body it is shown as it was written', async () => {
      assert.ok(PAYLOADS.length >= 60);
      const first = await postino.send('ann', 'victim', 'the first of a thread');
      for (const body of PAYLOADS) await postino.send('ann', 'victim', body, { replyTo: first.id });
      const page = await room.open(postino.url + '/thread/' + first.id);
      await until('all of them', () => page.evaluate(n => view.feed.items.length > n, PAYLOADS.length));
      const shown = await page.locator('article .body').evaluateAll(bodies => bodies.map(body => body.textContent));
      // What cannot be seen is shown by its number.
      const plain = PAYLOADS.filter(body => /^[\x20-\x7e\n\t]*$/.test(body));
      assert.ok(plain.length >= 80);
      assert.deepEqual(plain.filter(body => !shown.includes(body)), []);
      for (const sign of ['U+0000', 'U+FEFF', 'U+202E', 'U+000D']) assert.ok(shown.some(body => body.includes(sign)), sign);
      await harmless(page, 'thread');
      for (const path of ['/inbox/victim', '/inbox/ann', '/search?q=pwned', '/']) {
        await page.goto(postino.url + path);
        await live(page);
        await settled(page);
        await harmless(page, path);
      }
      await postino.send('eve', 'web-ui', PAYLOADS[16]);
      await page.goto(postino.url + '/inbox/web-ui');
      await article(page, 'onerror').getByRole('button', { name: 'Reply' }).click();
      await page.getByText('Answering eve').waitFor();
      await harmless(page, 'the answer that quotes it');
      await page.keyboard.type(PAYLOADS[16]);
      await page.keyboard.press('Control+Enter');
      await until('the answer', async () => await article(page, 'onerror').count() === 2);
      await harmless(page, 'the answer');
      // The binding is there: what calls it is noticed.
      await page.evaluate(() => pwned('the control'));
      assert.deepEqual(hits.splice(0), ['the control']);
    });

    test('as a broadcast it is shown as it was written, live too', async () => {
      const page = await room.open(postino.url + '/broadcasts');
      await live(page);
      for (const body of PAYLOADS) await postino.announce('ann', body);
      await until('the last', async () => await article(page, PAYLOADS.at(-1)).count());
      assert.ok(await page.getByRole('article').count() >= 40);
      await harmless(page, 'broadcasts');
    });

    test('as a name or a sender it is refused', async () => {
      for (const name of PAYLOADS) {
        for (const letter of [{ from: name, to: 'ann' }, { from: 'ann', to: name }]) {
          await assert.rejects(postino.post('/api/messages', { ...letter, body: 'x' }), /usage|name/i, JSON.stringify(letter));
        }
        await assert.rejects(postino.announce(name, 'x'), /usage|name/i);
        await assert.rejects(postino.post('/api/rename', { from: 'ann', name }), /error/i);
      }
      const page = await room.open(postino.url + '/');
      await live(page);
      await settled(page);
      await harmless(page, 'after the refusals');
    });

    // The rest never reaches the store.
    if (store !== 'embedded') return;

    test('from a server that lets everything in it stays text', async () => {
      const at = new Date().toISOString(), id = n => `0190b2c4-0000-7000-8000-${String(n).padStart(12, '0')}`;
      const agents = PAYLOADS.map((name, n) => ({ name, online: n % 2 === 0, state: n % 2 ? 'offline' : name, messageCount: n, lastSeen: at, client: name, host: name, project: name }));
      const mail = PAYLOADS.map((text, n) => ({ id: id(n), from: text, to: n % 2 ? text : 'web-ui', body: text, timestamp: at, thread: id(0), replyTo: id(0), via: text,
        standing: 'taken', takenBy: text, takenAt: at, ackedAt: at, deliveries: 1 }));
      const give = (url, answer) => room.context.route(url, route => route.fulfill({ status: 200, contentType: 'application/json', body: JSON.stringify({ ok: true, ...answer }) }));
      await give('**/api/agents', { items: agents, total: agents.length });
      await give('**/api/history?*', { items: mail });
      await give('**/api/history/*', mail[3]);
      await give('**/api/messages/web-ui?*', { items: mail.map(one => ({ ...one, standing: 'waiting' })), total: mail.length });
      await give('**/api/broadcasts?*', { items: mail.map(({ id, from, body, timestamp }) => ({ id, from, body, timestamp, kind: 'announcement' })), total: 90 });
      const page = await room.open(postino.url + '/');
      for (const path of ['/', '/inbox/web-ui', '/inbox/ann', '/thread/' + id(0), '/m/' + id(3), '/broadcasts', '/search?q=pwned']) {
        await page.goto(postino.url + path);
        await until('the names', () => page.locator('#agents').getByText(PAYLOADS[0]).count());
        await until('the view', () => page.evaluate(() => document.querySelector('main').innerText.includes('pwned')));
        await harmless(page, path);
      }
      await page.goto(postino.url + '/');
      await page.getByRole('button', { name: 'New message' }).click();
      await page.getByRole('combobox', { name: 'To' }).fill('<');
      await page.getByRole('option').first().waitFor();
      await harmless(page, 'the names to choose from');
      await page.getByRole('option').first().click();
      await page.keyboard.press('Escape');
      for (const text of [PAYLOADS[0], PAYLOADS[16]]) {
        await page.evaluate(text => { toastFailure(text, new Failure(text, text, text)); toast(sentNote({ id: text, recipient: text, waiting: text }, { to: text })); notifyOf({ type: 'message.sent', to: me, from: text, id: text }); apply({ type: text, at: text, id: text, agent: text, from: text, to: text }); }, text);
        await harmless(page, 'notes');
      }
    });

    test('in addresses and in what the browser kept it stays text', async () => {
      const page = await room.open(postino.url + '/');
      await live(page);
      for (const text of PAYLOADS) {
        for (const path of ['/inbox/', '/search?q=', '/']) {
          await page.evaluate(path => go(path), path + encodeURIComponent(text));
        }
      }
      await harmless(page, 'addresses of the page');
      for (const text of [PAYLOADS[0], PAYLOADS[16], PAYLOADS[25], PAYLOADS[67]]) {
        for (const path of ['/inbox/', '/m/', '/thread/', '/search?q=']) {
          const answer = await page.goto(postino.url + path + encodeURIComponent(text));
          assert.match(answer.headers()['content-type'], /^(text\/html|application\/json)/);
          assert.ok(answer.headers()['content-security-policy']);
        }
        await page.goto(postino.url + '/#' + encodeURIComponent(text));
        await page.evaluate(text => {
          for (const key of ['name', 'theme', 'keys', 'notify', 'draft.new', 'draft.to.ann', 'draft.broadcast']) localStorage.setItem('postino.' + key, text);
          localStorage.setItem('postino.draft.to.bob', JSON.stringify({ body: text, to: text, replyTo: text }));
        }, text);
        for (const path of ['/inbox/ann', '/inbox/bob', '/broadcasts', '/']) {
          await page.goto(postino.url + path);
          await until('a page', () => page.locator('#me').textContent());
          assert.equal(await page.locator('#me').textContent(), 'web-ui');
          await harmless(page, `kept, ${path}`);
        }
        await page.evaluate(() => localStorage.clear());
      }
    });
  });
}
