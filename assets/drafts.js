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

  forget(place) {
    save('draft.' + place, null);
  },
};
