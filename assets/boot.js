'use strict';
// Runs while the page is still blank: what the person chose, and the theme, so that the first painted frame is right.
// Knows no server.

// What could not be kept in this browser: this page remembers it, as long as it is open.
const unkept = new Map();

const saved = key => {
  if (unkept.has(key)) return unkept.get(key);
  try { return localStorage.getItem('postino.' + key); } catch { return null; }
};

// Keeps a choice in this browser; `null` forgets it. A browser that keeps nothing is no reason to fail.
function save(key, value) {
  try {
    if (value === null) localStorage.removeItem('postino.' + key);
    else localStorage.setItem('postino.' + key, value);
    unkept.delete(key);
  } catch { // Storage is full or forbidden.
    unkept.set(key, value);
  }
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

// The name that the person reads and writes under.
const me = NAME.test(saved('name') ?? '') ? saved('name') : 'web-ui';

function applyTheme() {
  document.documentElement.dataset.theme = saved('theme') ?? 'auto';
}
applyTheme();
