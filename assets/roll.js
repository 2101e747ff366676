// A long list of which only a window is in the document: it stays quick with ten thousand items.
//
// Knows items by `id` and how to fill their `<article>`; what an item says, and where more come from, is handed in.

const STEP = 40;      // items added at an end at once
const MOST = 160;     // items in the document at most, about

class Roll {
  items = [];
  nodes = new Map();
  low = 0; high = 0;    // the window: items[low] to items[high - 1]
  stick = true;         // whether the end stays in view when items come
  active = null;        // the id that the keys act on

  // `fill(article, item, previous)` puts an item into its article; `older()` loads more before the first one.
  constructor(label, { fill, older = null, newestFirst = false }) {
    Object.assign(this, { fill, older, newestFirst });
    this.feed = h('div', { role: 'feed', 'aria-label': label, 'aria-busy': 'true', class: 'feed' });
    this.top = h('p', { class: 'edge' });
    this.jump = button('down', 'Newest', () => this.toEnd(true), { class: 'jump', hidden: true });
    this.element = h('div', { class: 'roll' }, this.top, this.feed, this.jump);
    this.element.addEventListener('scroll', () => this.scrolled(), { passive: true });
    this.feed.addEventListener('focusin', event => this.activate(event.target.closest('article')?.dataset.id, false));
    new ResizeObserver(() => this.stick && !this.newestFirst && this.bottom()).observe(this.element);
  }

  // Shows these items; those that are shown already stay where they are.
  show(items, { done = true } = {}) {
    const first = this.items[this.low]?.id, anchor = this.anchor();
    const grown = items.length - this.items.length;
    this.items = items;
    this.done = done;
    if (this.newestFirst) {
      this.low = 0;
      this.high = Math.min(items.length, Math.max(this.high, STEP));
    } else if (this.stick || first === undefined) {
      this.high = items.length;
      this.low = Math.max(0, this.high - Math.max(STEP, Math.min(this.nodes.size + grown, MOST)));
    } else {
      this.low = Math.max(0, items.findIndex(item => item.id === first));
      this.high = Math.min(items.length, this.low + Math.min(this.nodes.size + STEP, MOST));
    }
    this.feed.setAttribute('aria-busy', 'false');
    this.paint(anchor);
    // At an end no scrolling would ask for more.
    requestAnimationFrame(() => this.widen());
  }

  // Brings the document to the window, and holds the item that the reader looks at in its place.
  paint(anchor = this.anchor()) {
    const wanted = this.items.slice(this.low, this.high);
    const keep = new Set(wanted.map(item => item.id));
    let heirs = null;
    for (const [id, node] of this.nodes) {
      if (keep.has(id)) continue;
      if (node.contains(document.activeElement) && !this.items.some(item => item.id === id)) heirs = [node.nextSibling, node.previousSibling];
      node.remove();
      this.nodes.delete(id);
    }
    // Who deleted a message by keys goes on beside it.
    if (heirs) (heirs.find(node => node?.isConnected) ?? $('title')).focus({ preventScroll: true });
    let next = this.feed.firstChild;
    wanted.forEach((item, i) => {
      let node = this.nodes.get(item.id);
      if (!node) {
        // Tab comes to every one of them: from the article on, its links and buttons follow.
        node = h('article', { 'data-id': item.id, tabindex: '0' });
        this.nodes.set(item.id, node);
        this.fill(node, item, this.items[this.low + i - 1]);
      }
      node.setAttribute('aria-posinset', this.low + i + 1);
      node.setAttribute('aria-setsize', this.done ? this.items.length : -1);
      if (node === next) next = next.nextSibling;
      else this.feed.insertBefore(node, next);
    });
    this.top.textContent = this.low > 0 || !this.done ? 'Earlier messages follow as you scroll up' : '';
    if (!this.nodes.has(this.active)) this.active = null;
    if (this.stick && !this.newestFirst) this.bottom();
    else if (anchor) this.hold(anchor);
    this.jump.hidden = this.newestFirst || this.stick || !this.items.length;
  }

  // Fills one item anew, keeping the focus where it is.
  refresh(id) {
    if (afterPress(() => this.refresh(id))) return;
    const node = this.nodes.get(id), at = this.items.findIndex(item => item.id === id);
    if (!node || at < 0) return;
    const focused = node.contains(document.activeElement) && document.activeElement.dataset.act;
    this.fill(node, this.items[at], this.items[at - 1]);
    if (focused) (node.querySelector(`[data-act="${focused}"]`) ?? node).focus();
    if (this.stick && !this.newestFirst) this.bottom();
  }

  // Fills everything in the window anew.
  refill() {
    for (const id of this.nodes.keys()) this.refresh(id);
  }

  // Forgets what is shown: the next items are other ones.
  empty() {
    for (const node of this.nodes.values()) node.remove();
    this.nodes.clear();
    this.items = [];
    this.low = this.high = 0;
    this.element.scrollTop = 0;
  }

  bottom() {
    this.element.scrollTop = this.element.scrollHeight;
  }

  // The first item in view and where it stands.
  anchor() {
    const top = this.element.getBoundingClientRect().top;
    for (const node of this.feed.children) {
      const box = node.getBoundingClientRect();
      if (box.bottom > top) return { id: node.dataset.id, offset: box.top - top };
    }
    return null;
  }

  hold({ id, offset }) {
    const node = this.nodes.get(id);
    if (!node) return;
    const now = node.getBoundingClientRect().top - this.element.getBoundingClientRect().top;
    if (now !== offset) this.element.scrollTop += now - offset;
  }

  scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.element;
    const below = scrollHeight - scrollTop - clientHeight;
    this.stick = below < 24 && this.high >= this.items.length;
    this.jump.hidden = this.newestFirst || this.stick || !this.items.length;
    this.widen();
    this.onscroll?.();
  }

  // Moves the window when the reader comes near one of its ends, and asks for more at the ends of what is loaded.
  widen() {
    const { scrollTop, scrollHeight, clientHeight } = this.element;
    const below = scrollHeight - scrollTop - clientHeight;
    if (!clientHeight) return;
    if (scrollTop < 500 && this.low > 0) {
      this.low = Math.max(0, this.low - STEP);
      this.high = Math.min(this.high, this.low + MOST);
      this.paint();
    } else if (scrollTop < 800 && this.low === 0 && !this.done && !this.newestFirst) {
      this.older?.();
    }
    if (below < 500 && this.high < this.items.length) {
      this.high = Math.min(this.items.length, this.high + STEP);
      this.low = Math.max(this.low, this.high - MOST);
      this.paint();
    } else if (below < 800 && this.newestFirst && !this.done) {
      this.older?.();
    }
  }

  toEnd(focus) {
    this.stick = true;
    this.high = this.items.length;
    this.low = Math.max(0, this.high - STEP);
    this.paint(null);
    if (focus) this.activate(this.items.at(-1)?.id, true);
  }

  // Goes to an item that is loaded; false when it is not.
  reveal(id, offset = 80) {
    const at = this.items.findIndex(item => item.id === id);
    if (at < 0) return false;
    this.stick = false;
    this.low = Math.max(0, Math.min(at - STEP, this.items.length - 2 * STEP));
    this.high = Math.min(this.items.length, Math.max(at, this.low) + 2 * STEP);
    this.paint(null);
    this.hold({ id, offset });
    return true;
  }

  activate(id, focus) {
    if (!id || !this.nodes.has(id)) return;
    this.active = id;
    if (focus) {
      const node = this.nodes.get(id);
      node.focus({ preventScroll: true });
      node.scrollIntoView({ block: 'nearest' });
    }
  }

  // Moves the active item by so many places, and the window with it.
  async move(by) {
    let at = this.items.findIndex(item => item.id === this.active);
    if (at < 0) at = by > 0 ? this.low - 1 : this.high;
    if (at + by < 0 && !this.done && !this.newestFirst) {
      const first = this.items[0]?.id;
      await this.older?.();
      at = this.items.findIndex(item => item.id === first);
    }
    const item = this.items[Math.max(0, Math.min(this.items.length - 1, at + by))];
    if (!item) return;
    if (!this.nodes.has(item.id)) this.reveal(item.id);
    this.activate(item.id, true);
  }

  get current() {
    return this.items.find(item => item.id === this.active) ?? null;
  }
}
