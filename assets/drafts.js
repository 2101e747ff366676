// What was written and not sent yet, kept in this browser: it survives reloads, crashes and failed sends.
//
// A draft carries the idempotency key of its sending from the first attempt on, so that trying again, or clicking twice,
// sends once; another text is another message and gets another key.

const drafts = {
  // The draft at a place: `{body, to?, replyTo?, urgent?, attempt?}`.
  read(place) {
    try { return JSON.parse(saved('draft.' + place)) ?? {}; } catch { return {}; }
  },

  // Keeps what was written; without a text and a recipient there is nothing to keep. A change ends the attempt to send.
  write(place, draft) {
    const { attempt, ...before } = drafts.read(place);
    if (JSON.stringify(before) === JSON.stringify(draft)) return;
    save('draft.' + place, draft.body || draft.to || draft.replyTo ? JSON.stringify(draft) : null);
  },

  // The letter to send for the draft as it is: made at the first attempt, the same at the next ones.
  attempt(place, make) {
    const draft = drafts.read(place);
    draft.attempt ??= { ...make(), key: 'page-' + token() };
    save('draft.' + place, JSON.stringify(draft));
    return draft.attempt;
  },

  // Forgets the draft that this letter was sent for, and tells every form that still shows it. What was written meanwhile stays.
  sent(place, letter) {
    if (drafts.read(place).attempt?.key === letter.key) save('draft.' + place, null);
    dispatchEvent(new CustomEvent('draftsent', { detail: { place, body: letter.body } }));
  },

  // Calls `then` with the text of what was sent from a place, here or in another tab, while `form` is in the page.
  onSent(place, form, then) {
    let shown = false;
    const listen = (name, bodyOf) => addEventListener(name, function heard(event) {
      shown ||= form.isConnected;
      if (shown && !form.isConnected) removeEventListener(name, heard);
      else bodyOf(event);
    });
    listen('draftsent', ({ detail }) => { if (detail.place === place) then(detail.body); });
    listen('storage', ({ key, oldValue, newValue }) => {
      if (key !== 'postino.draft.' + place || newValue !== null) return;
      try {
        const { attempt } = JSON.parse(oldValue);
        if (attempt) then(attempt.body);
      } catch { /* it was no draft */ }
    });
  },
};
