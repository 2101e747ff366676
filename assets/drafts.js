// What was written and not sent yet, kept in this browser: it survives reloads, crashes and failed sends.
//
// A draft carries the idempotency key of its sending from the first attempt on, so that trying again, or clicking twice,
// sends once; another text is another message and gets another key.

// By place: what clears the form that was opened there last.
const forms = new Map();

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

  // The form that shows the draft of a place, in this tab: `clear` is called with the text of what was sent from there.
  shows(place, clear) {
    forms.set(place, clear);
  },

  // Forgets the draft that this letter was sent for, if it is that still, and clears the form that shows it.
  sent(place, letter) {
    if (drafts.read(place).attempt?.key === letter.key) save('draft.' + place, null);
    forms.get(place)?.(letter.body);
  },
};

// Another tab has sent what this one may show.
addEventListener('storage', ({ key, oldValue, newValue }) => {
  const place = key?.startsWith('postino.draft.') && newValue === null && key.slice('postino.draft.'.length);
  if (!place) return;
  try {
    const { attempt } = JSON.parse(oldValue);
    if (attempt) forms.get(place)?.(attempt.body);
  } catch { /* it was no draft */ }
});
