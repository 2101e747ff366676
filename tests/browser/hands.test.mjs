// A walk without a mouse: from the first Tab to a sent answer, wide and narrow; and that everything that can be pressed can
// be reached, shows that it is reached, and lets go again. The store does not show.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Postino, article, live, settled, until, visitors } from './support.mjs';

// What has the focus: how it is called, and what is wrong with how that shows.
const focused = page => page.evaluate(() => {
  const element = document.activeElement, box = element.getBoundingClientRect(), style = getComputedStyle(element);
  const there = document.elementFromPoint(box.left + Math.min(box.width, innerWidth - box.left) / 2, box.top + Math.min(box.height, innerHeight - box.top) / 2);
  const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  const seen = element === there || element.contains(there) || there?.contains(element);
  element.dataset.walked ??= String(window.walked = (window.walked ?? 0) + 1);
  return { tag: element.tagName, name: (element.getAttribute('aria-label') ?? element.textContent).trim().slice(0, 60), number: element.dataset.walked,
    fault: element === document.body ? null : !ring ? 'shows no ring' : !seen || !box.width ? 'is hidden' : null };
});

// What a mouse could press or fill now, and messages, where Tab did not come to them. Radio buttons are one stop.
const missed = page => page.evaluate(() => [...document.querySelectorAll('a[href], button, input, textarea, summary, article')]
  .filter(element => element.checkVisibility({ visibilityProperty: true }) && !element.closest('[inert]') && !element.disabled && element.type !== 'radio' && !element.dataset.walked)
  .map(element => `${element.tagName} ${(element.getAttribute('aria-label') ?? element.textContent).trim().slice(0, 60)}`));

// Presses Tab until it has been everywhere; what was seen on the way.
async function tour(page, key = 'Tab') {
  await page.evaluate(() => { for (const element of document.querySelectorAll('[data-walked]')) delete element.dataset.walked; });
  const steps = [], seen = new Set();
  for (let i = 0; i < 250; i++) {
    await page.keyboard.press(key);
    const step = await focused(page);
    if (step.tag !== 'BODY' && seen.has(step.number)) break;
    seen.add(step.number);
    steps.push(step);
  }
  return steps;
}

// Presses Tab until what has the focus is called so.
async function tabTo(page, name, key = 'Tab') {
  const came = [];
  for (let i = 0; i < 120; i++) {
    await page.keyboard.press(key);
    const step = await focused(page);
    came.push(step.name);
    if (step.tag !== 'BODY' && name.test(step.name)) return step;
  }
  throw new Error(`Tab does not lead to ${name}, but to ${came.join(' | ')}`);
}

const isFocused = locator => until('the focus', () => locator.evaluate(it => it === document.activeElement || it.contains(document.activeElement)));

describe('hands without a mouse', { timeout: 600_000 }, () => {
  const room = visitors();
  let postino, asked;

  before(async () => {
    postino = await Postino.start();
    asked = await postino.send('ann', 'web-ui', 'shall I?');
    await postino.send('ann', 'bob', 'one');
    await postino.send('ann', 'bob', 'two');
    await postino.send('web-ui', 'bob', 'an answer', { replyTo: (await postino.send('bob', 'web-ui', 'three')).id });
    await postino.announce('ci-bot', 'Deploy freeze until Monday.');
  });
  after(() => postino?.stop());

  for (const width of [1280, 320]) {
    const look = { viewport: { width, height: 720 } };

    test(`Tab comes to everything, shows where it is, and goes round, ${width}`, async () => {
      const page = await room.open(postino.url + '/', look);
      for (const path of ['/', '/inbox/bob', '/inbox/web-ui', '/broadcasts', '/search?q=one', '/thread/' + asked.id, '/m/' + asked.id]) {
        await page.goto(postino.url + path);
        await live(page);
        await settled(page);
        if (path === '/m/' + asked.id) await page.getByText('Came by').waitFor();
        // What is drawn anew while Tab walks loses its mark: then it is walked once more.
        for (const key of ['Tab', 'Shift+Tab']) {
          await until('a whole tour by ' + key, async () => {
            const steps = await tour(page, key);
            assert.ok(steps.length > 8, path);
            assert.deepEqual(steps.filter(step => step.fault), [], path);
            assert.deepEqual(await missed(page), [], path);
            return true;
          });
        }
      }
    });

    test(`a question, settings and keys hold the focus and give it back, ${width}`, async () => {
      const page = await room.open(postino.url + '/inbox/bob', look);
      await live(page);
      await article(page, 'two').waitFor();
      await page.locator('#title').focus();
      const narrow = width === 320;
      for (const [name, dialog] of [[/^Settings$/, 'Settings'], [/^Keyboard keys$/, 'Keys'], [/^Clear$/, /^Clear the mailbox/]]) {
        if (narrow && dialog !== name && typeof dialog === 'string') {
          await tabTo(page, /^Agents/);
          await page.keyboard.press('Enter');
        }
        await tabTo(page, name);
        await page.keyboard.press('Enter');
        await page.getByRole('dialog', { name: dialog }).waitFor();
        const steps = await tour(page);
        assert.deepEqual(steps.filter(step => step.fault), [], String(dialog));
        const outside = await page.evaluate(() => [...document.querySelectorAll('[data-walked]')].filter(it => it !== document.body && !it.closest('dialog')).map(it => it.outerHTML.slice(0, 80)));
        assert.deepEqual(outside, [], `${dialog} holds the focus`);
        assert.ok(steps.length >= 3);
        await page.keyboard.press('Escape');
        await until('the dialog to be gone', async () => await page.getByRole('dialog').count() === 0);
        assert.match((await focused(page)).name, name, 'the focus is back');
        if (narrow) await page.keyboard.press('Escape');
      }
    });
  }

  test('from the first Tab to a sent answer', async () => {
    const page = await room.open(postino.url + '/');
    await live(page);
    await settled(page);
    await tabTo(page, /^Skip to the mail$/);
    await page.keyboard.press('Enter');
    await isFocused(page.locator('#title'));
    await tabTo(page, /^ann/, 'Shift+Tab');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/inbox/ann');
    await isFocused(page.locator('#title'));
    await article(page, 'shall I?').waitFor();
    await tabTo(page, /ann to (you|bob)/);
    assert.equal((await focused(page)).tag, 'ARTICLE');
    await page.keyboard.press('j');
    while (!(await focused(page)).name.includes('shall I')) await page.keyboard.press('k');
    await tabTo(page, /^Reply$/);
    await page.keyboard.press('Space');
    await isFocused(page.getByLabel('Message to ann'));
    await page.keyboard.type('yes, do');
    await tabTo(page, /^Send$/);
    await page.keyboard.press('Enter');
    await article(page, 'yes, do').waitFor();
    const { items } = await postino.get('/api/messages/ann');
    assert.deepEqual(items.map(item => [item.body, item.replyTo]), [['yes, do', asked.id]]);
    // And takes it back.
    await isFocused(page.getByRole('button', { name: 'Send' }));
    await tabTo(page, /^Delete$/, 'Shift+Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await isFocused(page.getByRole('button', { name: 'Cancel' }));
    await tabTo(page, /^Delete message$/);
    await page.keyboard.press('Enter');
    await article(page, 'yes, do').waitFor({ state: 'detached' });
    assert.equal((await postino.get('/api/messages/ann')).total, 0);
    assert.notEqual((await focused(page)).tag, 'BODY', 'the focus is not lost');
  });

  test('a new message, and the theme, by keys alone', async () => {
    const page = await room.open(postino.url + '/');
    await live(page);
    await settled(page);
    await tabTo(page, /^New message$/);
    await page.keyboard.press('Enter');
    await isFocused(page.getByRole('combobox', { name: 'To' }));
    await page.keyboard.type('bo');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await isFocused(page.getByRole('textbox', { name: 'Message', exact: true }));
    await page.keyboard.type('by hand');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('status').filter({ hasText: 'Sent to bob' }).waitFor();
    await isFocused(page.getByRole('button', { name: 'New message' }));
    const { items } = await postino.get('/api/messages/bob');
    assert.deepEqual([items.at(-1).body, items.at(-1).urgent], ['by hand', true]);
    await tabTo(page, /^Settings$/);
    await page.keyboard.press('Enter');
    await page.getByRole('radio', { name: 'As the system' }).focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
    await page.keyboard.press('Escape');
    assert.match((await focused(page)).name, /^Settings$/);
  });

  test('the drawer of a narrow window opens, leads on and shuts by keys', async () => {
    const page = await room.open(postino.url + '/', { viewport: { width: 320, height: 640 } });
    await live(page);
    await settled(page);
    await page.locator('#title').focus();
    await tabTo(page, /^Agents/, 'Shift+Tab');
    await page.keyboard.press('Enter');
    assert.equal(await page.locator('#open-rail').getAttribute('aria-expanded'), 'true');
    await isFocused(page.locator('#new-message'));
    await page.keyboard.press('Escape');
    assert.equal(await page.locator('#open-rail').getAttribute('aria-expanded'), 'false');
    assert.match((await focused(page)).name, /^Agents/);
    await page.keyboard.press('Enter');
    await tabTo(page, /^bob/);
    await page.keyboard.press('Enter');
    await page.waitForURL('**/inbox/bob');
    await isFocused(page.locator('#title'));
    assert.equal(await page.locator('#open-rail').getAttribute('aria-expanded'), 'false');
  });
});
