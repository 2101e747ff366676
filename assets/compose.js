// Writing: the form under a conversation, the new message, the broadcast. A draft is kept with each keystroke and sent once.

// A form that writes. The draft lies at `place`. Who gets it is what the person answers, else what `target()` says
// (`{to, replyTo}`), else what stands in the `recipient`'s field; a broadcast has none of them. A form that `onlyAnswers`
// is there while there is something to answer.
function composer({ place, label, placeholder, target, recipient = null, urgent = true, onlyAnswers = false, send, sent = () => {} }) {
  const draft = drafts.read(place);
  const id = 'c-' + token();
  const text = h('textarea', { id, rows: 2, placeholder, maxlength: 65_536, value: draft.body ?? '', oninput: changedText });
  const flag = h('input', { type: 'checkbox', onchange: store });
  flag.checked = Boolean(draft.urgent);
  const answering = h('div', { class: 'answering', hidden: true });
  const problem = h('div', {});
  const submit = h('button', { class: 'primary', title: 'Ctrl Enter' }, h('span', {}, 'Send'));
  let replyTo = draft.replyTo ?? null, busy = false;
  if (recipient) recipient.field.value = draft.to ?? '';

  function store() {
    drafts.write(place, { body: text.value, to: recipient?.field.value || undefined, replyTo: replyTo ?? undefined, urgent: flag.checked || undefined });
  }

  function fit() {
    text.style.setProperty('--lines', Math.min(14, Math.max(2, text.value.split('\n').length)));
  }

  function changedText() {
    fit();
    store();
  }

  function answer(record) {
    answers(record);
    store();
  }

  function answers(record) {
    replyTo = record?.id ?? null;
    answering.hidden = !record;
    form.hidden = onlyAnswers && !record;
    if (record) {
      answering.replaceChildren(icon('reply'), h('span', {}, `Answering ${counterpart(record)}: `, h('q', {}, gist(record.body, 70))),
        h('button', { type: 'button', class: 'quiet square', 'aria-label': 'Do not answer, write anew', onclick: () => { answer(null); text.focus(); } }, icon('close')));
    }
  }

  // The letter as it goes out.
  function addressed() {
    const letter = { body: text.value, urgent: flag.checked || undefined };
    const parent = replyTo && world.records.get(replyTo);
    if (parent) return { ...letter, to: counterpart(parent), replyTo };
    if (recipient) return { ...letter, to: recipient.field.value.trim() };
    return { ...letter, ...target?.(), ...(replyTo ? { replyTo } : {}) };
  }

  function fail(failure, retry) {
    problem.replaceChildren(trouble('Not sent; your text is kept.', failure, retry));
  }

  async function run(event) {
    event?.preventDefault();
    if (busy) return;
    store();
    if (recipient && !NAME.test(recipient.field.value.trim())) {
      recipient.refuse();
      return;
    }
    if (!text.value.trim()) {
      fail(new Failure('usage', 'There is nothing to send yet', 'Write something first.'));
      text.focus();
      return;
    }
    busy = true;
    submit.setAttribute('aria-disabled', 'true');
    const letter = drafts.attempt(place, addressed);
    try {
      const answered = await send(letter);
      problem.replaceChildren();
      drafts.sent(place, letter);
      sent(answered, letter);
    } catch (failure) {
      fail(failure, run);
    } finally {
      busy = false;
      submit.removeAttribute('aria-disabled');
    }
  }

  // What was sent leaves the form, unless the person has gone on writing. The draft is left alone: another tab may have gone on.
  function clear(body) {
    if (text.value !== body) return;
    text.value = '';
    flag.checked = false;
    answers(null);
    fit();
  }

  text.addEventListener('keydown', event => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) run(event);
  });
  const form = h('form', { class: 'composer', onsubmit: run },
    recipient?.element, answering,
    h('label', { for: id, class: recipient ? '' : 'unseen' }, recipient ? 'Message' : label), text, problem,
    h('div', { class: 'row' }, h('span', { class: 'aside from' }, 'From ', h('b', {}, me)),
      urgent && h('label', { class: 'choice' }, flag, 'Urgent'), submit));
  form.hidden = onlyAnswers;
  drafts.shows(place, clear);
  if (recipient) recipient.field.addEventListener('input', store);
  changedText();
  if (replyTo) {
    const parent = world.records.get(replyTo);
    if (parent) answer(parent);
    // Only what is gone for good is no longer answered; what cannot be fetched just now is.
    else api.message(replyTo).then(found => answer(keep(found)), failure => { if (failure.status === 404) answer(null); });
  }
  return { element: form, text, answer, focus: () => text.focus(), get answering() { return replyTo; } };
}

// Who hears an answer to a message: its sender, or its recipient when the person sent it.
const counterpart = record => record.from === me ? record.to : record.from;

// The recipient's field: an editable combobox with a list (ARIA Authoring Practices, "combobox with list autocomplete").
function recipientField() {
  const id = 'to-' + token(), list = h('ul', { role: 'listbox', id: id + '-list', 'aria-label': 'Agents', hidden: true });
  const hint = h('small', { id: id + '-hint' });
  const field = h('input', { id, role: 'combobox', 'aria-expanded': 'false', 'aria-controls': id + '-list', 'aria-autocomplete': 'list',
    'aria-describedby': id + '-hint', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', maxlength: 64,
    placeholder: 'Name of an agent' });
  let options = [], at = -1;

  const matches = () => {
    const typed = field.value.trim().toLowerCase();
    const names = [...world.agents.values()].filter(agent => agent.name !== me && agent.name.toLowerCase().includes(typed));
    const rank = agent => (agent.name.toLowerCase().startsWith(typed) ? 0 : 2) + (agent.online ? 0 : 1);
    return names.sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1)).slice(0, 8);
  };

  function tell() {
    const name = field.value.trim();
    const known = world.agents.get(name);
    hint.className = '';
    hint.removeAttribute('role');
    field.removeAttribute('aria-invalid');
    hint.textContent = !name ? 'Anyone with a name can get mail.'
      : !NAME.test(name) ? 'A name is 1 to 64 letters, digits, “.”, “_” or “-”, and starts with a letter or digit.'
        : known ? `${capital(known.state)}${known.messageCount ? `, ${known.messageCount} waiting` : ''}.`
          : 'Nobody has this name yet. The mail waits until somebody takes it.';
  }

  function open(choose = -1) {
    options = matches();
    at = options.length ? choose : -1;
    list.replaceChildren(...options.map((agent, i) =>
      h('li', { role: 'option', id: `${id}-${i}`, 'aria-selected': String(i === at), onpointerdown: event => { event.preventDefault(); pick(i); } },
        lampOf(agent), h('span', { class: 'name' }, agent.name), h('span', { class: 'aside' }, agent.project ?? ''))));
    list.hidden = !options.length;
    field.setAttribute('aria-expanded', String(!list.hidden));
    if (at >= 0) {
      field.setAttribute('aria-activedescendant', `${id}-${at}`);
      list.children[at].scrollIntoView({ block: 'nearest' });
    } else field.removeAttribute('aria-activedescendant');
  }

  function shut() {
    list.hidden = true;
    at = -1;
    field.setAttribute('aria-expanded', 'false');
    field.removeAttribute('aria-activedescendant');
  }

  function pick(i) {
    field.value = options[i].name;
    field.dispatchEvent(new Event('input'));
    shut();
  }

  field.addEventListener('input', () => { tell(); open(); });
  field.addEventListener('blur', shut);
  field.addEventListener('keydown', event => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      if (list.hidden) open(event.altKey ? -1 : step > 0 ? 0 : matches().length - 1);
      else open((at + step + options.length + (at < 0 && step < 0 ? 1 : 0)) % options.length);
    } else if (event.key === 'Enter' && at >= 0) {
      event.preventDefault();
      pick(at);
    } else if (event.key === 'Escape' && !list.hidden) {
      event.preventDefault();
      event.stopPropagation();
      shut();
    }
  });
  tell();
  return {
    field,
    element: h('div', { class: 'recipient' }, h('label', { for: id }, 'To'), field, list, hint),
    tell,
    refuse() {
      tell();
      if (!field.value.trim()) hint.textContent = 'Say who shall get it: the name of an agent.';
      hint.className = 'bad';
      hint.setAttribute('role', 'alert');
      field.setAttribute('aria-invalid', 'true');
      field.focus();
    },
  };
}

// What became of a message that was sent.
function sentNote({ id, recipient, waiting }, { to }) {
  const fate = recipient === 'unknown' ? 'nobody has this name yet; the mail waits' : `${recipient}, ${waiting} waiting`;
  return [`Sent to `, link(inboxOf(to), to), ` (${fate}). `, link('/m/' + id, 'Show it')];
}

// Opens the new message; its draft is kept when it is closed.
function writeNew(to = '') {
  if (document.querySelector('dialog[open]')) return;
  const recipient = recipientField();
  const form = composer({
    place: 'new', label: 'New message', placeholder: 'What shall be carried?', recipient, send: api.send,
    sent: (answer, letter) => { dialog.close(''); toast(sentNote(answer, letter)); },
  });
  const { dialog } = openDialog('New message', form.element, { className: 'letter' });
  if (to) recipient.field.value = to;
  recipient.tell();
  if (recipient.field.value) form.focus();
  else recipient.field.focus();
}
