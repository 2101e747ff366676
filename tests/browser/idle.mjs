// Counts what an open page asks for while nothing happens, for `just bench`: one minute, one number on stdout.

import { Postino, browser, live, settled, visit } from './support.mjs';

const MINUTE = 60_000;

const postino = await Postino.start('embedded');
const chromium = await browser();
try {
  const page = await visit(await chromium.newContext(), postino.url + '/');
  await live(page);
  await settled(page);
  // What belongs to the opening is over by then.
  await page.waitForTimeout(5_000);
  let asked = 0;
  page.on('request', () => { asked += 1; });
  await page.waitForTimeout(MINUTE);
  console.log(asked);
} finally {
  await chromium.close();
  await postino.stop();
}
