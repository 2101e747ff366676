// Making elements, icons, times and harmless text. Nothing here parses HTML, and nothing knows what a message is.

// An element: attributes by name, listeners as `onclick` etc., `false` and `null` leave an attribute out.
function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'value') element.value = value;
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter(child => child != null && child !== false));
  return element;
}

// Drawings that wait for the end of a press on a link or a button; `null` while there is none.
let late = null;

// Puts a drawing off while a link or a button is pressed, and says so: a press is a click only where it ends on the element that
// it began on, so nothing is made anew or moved under the pointer.
function afterPress(draw) {
  late?.add(draw);
  return late !== null;
}

addEventListener('pointerdown', event => {
  if (event.button === 0 && event.target.closest?.('a, button')) late ??= new Set();
});
// The click comes before the next task.
for (const end of ['pointerup', 'pointercancel', 'blur']) addEventListener(end, () => setTimeout(() => {
  const drawings = late ?? [];
  late = null;
  for (const draw of drawings) draw();
}));

const $ = id => document.getElementById(id);
const SVG = 'http://www.w3.org/2000/svg';

// An SVG element with attributes.
function s(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const icon = (name, kind = 'icon') => s('svg', { class: kind, 'aria-hidden': 'true' }, s('use', { href: '#i-' + name }));

// A button with an icon; `label` is read out and shown.
const button = (name, label, onclick, more = {}) =>
  h('button', { type: 'button', onclick, ...more }, name && icon(name), h('span', {}, label));

// What would reorder a line, or hide in it. A joiner between two emoji is no such thing.
const RISKY = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|[\u{e0000}-\u{e007f}\u{e0100}-\u{e01ef}]|\u200d(?!\p{Extended_Pictographic})/gu;

// Foreign text as nodes: what cannot be seen is shown by its number, and `found` (lower case) is marked.
function visible(text, found = '') {
  const nodes = [];
  const plain = part => {
    const low = part.toLowerCase();
    let from = 0;
    for (let at; found && low.length === part.length && (at = low.indexOf(found, from)) >= 0; from = at + found.length) {
      nodes.push(part.slice(from, at), h('mark', {}, part.slice(at, at + found.length)));
    }
    nodes.push(part.slice(from));
  };
  let from = 0;
  for (const match of text.matchAll(RISKY)) {
    plain(text.slice(from, match.index));
    const code = match[0].codePointAt(0).toString(16).toUpperCase().padStart(4, '0');
    nodes.push(h('span', { class: 'escape', title: 'an invisible character, U+' + code }, 'U+' + code));
    from = match.index + match[0].length;
  }
  plain(text.slice(from));
  return nodes;
}

// A sentence in which `commands` stand between backticks.
const coded = text => text.split('`').map((piece, i) => i % 2 ? h('code', {}, piece) : piece);

// The first words of a text on one line.
function gist(text, length = 90) {
  const line = text.slice(0, 4 * length).replace(/\s+/g, ' ').replace(RISKY, '\u00b7').trim();
  return line.length > length ? line.slice(0, length - 1).trimEnd() + '…' : line;
}

const exact = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'medium' });
const clock = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const day = new Intl.DateTimeFormat('en', { weekday: 'long', day: 'numeric', month: 'long' });

// How long ago, in a word or two; a clock time when it is more than some hours.
function ago(moment) {
  const seconds = (Date.now() - moment) / 1000;
  if (seconds < 45) return 'just now';
  if (seconds < 3600) return Math.max(1, Math.round(seconds / 60)) + ' min ago';
  if (seconds < 6 * 3600) return Math.round(seconds / 3600) + ' h ago';
  return clock.format(moment);
}

// The day of a moment, as a heading says it.
function dayOf(moment) {
  const midnight = new Date().setHours(0, 0, 0, 0);
  if (moment >= midnight) return 'Today';
  return moment >= midnight - 86_400_000 ? 'Yesterday' : day.format(moment);
}

// A time that keeps itself true.
function when(text) {
  const moment = Date.parse(text);
  return h('time', { datetime: text, title: exact.format(moment) }, ago(moment));
}

function refreshTimes() {
  for (const time of document.querySelectorAll('time[datetime]')) {
    const text = ago(Date.parse(time.dateTime));
    if (time.textContent !== text) time.textContent = text;
  }
}

// Says something to those who listen instead of looking.
function say(text) {
  $('said').textContent = text;
}

const plural = (n, word) => `${n.toLocaleString('en')} ${word}${n === 1 ? '' : 's'}`;

// A function that runs `work` at most once in `gap` milliseconds: soon after the first call, and after the last one.
function paced(work, gap, delay = 60) {
  let timer = 0, last = 0, running = false, again = false;
  async function run() {
    timer = 0;
    if (running) { again = true; return; }
    running = true;
    last = Date.now();
    try { await work(); } catch { /* the work says itself what failed */ }
    running = false;
    if (again) { again = false; call(); }
  }
  function call() {
    timer ||= setTimeout(run, Math.max(delay, last + gap - Date.now()));
  }
  return call;
}

// A token that nobody else has: for idempotency keys and element ids.
const token = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), n => n.toString(16).padStart(2, '0')).join('');
