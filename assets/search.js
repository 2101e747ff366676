// The search: over what is loaded, at each keystroke, while the rest of history is being loaded.

const hay = new WeakMap();

// The words of a message to look in.
function hayOf(record) {
  let text = hay.get(record);
  if (text === undefined) hay.set(record, text = `${record.from} ${record.to} ${record.id} ${record.body}`.toLowerCase());
  return text;
}

// Looks through what is loaded, and meanwhile loads the rest of history.
function search(asked) {
  const feed = new Feed({}, 200);
  const field = h('input', { type: 'search', id: 'search', value: asked, autocomplete: 'off', spellcheck: 'false', placeholder: 'Words, a name, an id' });
  const count = h('p', { class: 'under', role: 'status' });
  const context = { days: true, found: '' };
  const roll = new Roll('Search results', {
    newestFirst: true,
    fill: (article, record, previous) => fillMessage(article, record, previous, { ...context, refill: () => roll.refresh(record.id) }),
  });
  const none = h('div', { class: 'place' });
  let sorted = [], version = -1;

  function look() {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (version !== world.version) {
      sorted = [...world.records.values()].sort((a, b) => a.id < b.id ? 1 : -1);
      version = world.version;
    }
    const results = words.length ? sorted.filter(record => words.every(word => hayOf(record).includes(word))) : [];
    if (context.found !== (words[0] ?? '')) {
      context.found = words[0] ?? '';
      roll.empty();
    }
    roll.show(results);
    const of = `${plural(sorted.length, 'message')}${feed.done ? '' : ' so far'}`;
    count.textContent = words.length ? `${plural(results.length, 'result')} in ${of}` : `Looks through ${feed.done ? of : 'all mail of the last day'}`;
    const state = feed.failure ? trouble('Not all mail could be searched.', feed.failure, () => fetchAll())
      : words.length && !results.length && feed.done ? nothing('Nothing found', 'No message of the last day contains all of these words.') : null;
    none.replaceChildren(...(state ? [state] : []));
    none.hidden = !state;
  }

  let left = false, fetching = false;
  async function fetchAll() {
    if (fetching) return;
    fetching = true;
    if (!feed.loaded) await feed.refresh();
    while (!left && !feed.done && !feed.failure) await feed.older();
    fetching = false;
  }
  const lookSoon = paced(async () => look(), 250);
  const keepUrl = paced(async () => {
    if (left) return;
    const url = field.value ? '/search?q=' + part(field.value) : '/search';
    if (location.pathname + location.search !== url) history.replaceState(history.state, '', url);
  }, 300, 300);
  field.addEventListener('input', () => { look(); keepUrl(); });
  world.feeds.add(feed);
  fetchAll();
  look();
  return {
    title: 'Search', roll, focusFirst: () => field,
    hear(what, detail) {
      if (what === 'feed' && detail.feed === feed) {
        lookSoon();
        if (feed.loaded && !feed.failure) fetchAll();
      }
      if (what === 'record') roll.refresh(detail);
    },
    leave() { left = true; world.feeds.delete(feed); },
    element: h('section', { class: 'view talk', 'aria-labelledby': 'title' },
      h('header', { class: 'head searching' }, h('div', {}, h('h1', { id: 'title', tabindex: '-1' }, h('label', { for: 'search' }, 'Search')), count), field),
      none, roll.element),
  };
}
