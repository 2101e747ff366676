// Dialogs and notes: asking before something is deleted, settings, keys, and what was done or failed.

// Opens a modal dialog; the focus goes back to where it was when it closes. Resolves to its return value.
function openDialog(title, content, { className = '', onclose } = {}) {
  const before = document.activeElement;
  const id = 'd-' + token();
  const close = h('button', { type: 'button', class: 'quiet square', 'aria-label': 'Close', onclick: () => dialog.close('') }, icon('close'));
  const dialog = h('dialog', { 'aria-labelledby': id, class: className },
    h('header', {}, h('h2', { id }, title), close), content);
  document.body.append(dialog);
  dialog.addEventListener('click', event => event.target === dialog && dialog.close(''));
  dialog.showModal();
  const closed = new Promise(done => dialog.addEventListener('close', () => {
    dialog.remove();
    (before?.isConnected ? before : $('title'))?.focus();
    onclose?.();
    done(dialog.returnValue);
  }));
  return { dialog, closed };
}

// Asks; true when the person says so.
async function confirm(title, text, action) {
  const cancel = button(null, 'Cancel', () => dialog.close(''), { class: 'plain', autofocus: true });
  const yes = button('bin', action, () => dialog.close('yes'), { class: 'danger' });
  const { dialog, closed } = openDialog(title, h('div', { class: 'ask' }, h('p', {}, text), h('div', { class: 'row' }, cancel, yes)));
  cancel.focus();
  return await closed === 'yes';
}

// A note that goes by itself after some seconds, not while somebody points at it or has the focus in it.
function toast(content, { alert = false, seconds = 7 } = {}) {
  const close = h('button', { type: 'button', class: 'quiet square', 'aria-label': 'Dismiss', onclick: () => note.remove() }, icon('close'));
  const note = h('div', { class: alert ? 'toast bad' : 'toast', role: alert ? 'alert' : 'status' },
    alert && icon('alert'), h('div', {}, content), close);
  let left = seconds;
  const timer = setInterval(() => {
    if (!note.isConnected) clearInterval(timer);
    else if (!note.matches(':hover, :focus-within') && !document.hidden && --left <= 0) note.remove();
  }, 1_000);
  $('toasts').append(note);
  while ($('toasts').children.length > 3) $('toasts').firstChild.remove();
}

const toastFailure = (doing, failure) =>
  toast([h('strong', {}, `${doing} failed. `), failure.message + '. ', h('span', {}, coded(failure.hint))], { alert: true, seconds: 20 });

// What went wrong, where it went wrong: cause, next step, and a way to try again.
const trouble = (doing, failure, retry) => h('div', { class: 'trouble', role: 'alert' }, icon('alert'),
  h('p', {}, h('strong', {}, doing + ' '), failure.message + '. ', coded(failure.hint)),
  retry && button(null, 'Try again', retry, { class: 'plain' }));

const KEYS = [
  ['j  k', 'next, previous message'],
  ['Enter', 'open the thread of the message'],
  ['r', 'reply to the message'],
  ['c', 'write a new message'],
  ['n', 'go to the next agent with mail for you'],
  ['/', 'search'],
  ['Esc', 'leave the field, close what is open'],
  ['Ctrl Enter', 'send what is written'],
  ['?', 'this list'],
];

const keysOn = () => saved('keys') !== 'off';

function switchOf(label, on, change, hint) {
  const id = 's-' + token();
  const box = h('input', { type: 'checkbox', role: 'switch', id, onchange: () => change(box.checked), ...(on && { checked: true }) });
  return h('div', { class: 'switch' }, box, h('label', { for: id }, label, hint && h('small', {}, hint)));
}

const keysSwitch = () => switchOf('Keys on', keysOn(), on => save('keys', on ? null : 'off'),
  'Single keys act when no field has the focus.');

function showKeys() {
  const rows = KEYS.map(([keys, what]) =>
    h('tr', {}, h('th', { scope: 'row' }, keys.split(/\s+/).map(key => [h('kbd', {}, key), ' '])), h('td', {}, what)));
  openDialog('Keys', [h('div', {}, h('table', { class: 'keys' }, h('tbody', {}, rows))), keysSwitch()]);
}

function themeChoice() {
  const chosen = saved('theme') ?? 'auto';
  const choices = [['auto', 'As the system'], ['light', 'Light'], ['dark', 'Dark']].map(([value, label]) => {
    const radio = h('input', { type: 'radio', name: 'theme', value, ...(value === chosen && { checked: true }),
      onchange: () => { save('theme', value === 'auto' ? null : value); applyTheme(); } });
    return h('label', { class: 'choice' }, radio, label);
  });
  return h('fieldset', {}, h('legend', {}, 'Theme'), h('div', { class: 'choices' }, choices));
}

// The name that the person reads and writes under; another name is another mailbox.
function nameForm() {
  const hint = h('small', { id: 'name-hint' }, 'Letters, digits, dots, dashes and underscores. Agents answer to this name.');
  const field = h('input', { id: 'from-name', value: me, maxlength: 64, autocomplete: 'off', spellcheck: 'false', 'aria-describedby': 'name-hint' });
  const form = h('form', { onsubmit: event => {
    event.preventDefault();
    if (!NAME.test(field.value)) {
      hint.setAttribute('role', 'alert');
      hint.textContent = 'That is not a legal name: use 1 to 64 letters, digits, “.”, “_” or “-”, starting with a letter or digit.';
      field.setAttribute('aria-invalid', 'true');
      field.focus();
      return;
    }
    save('name', field.value === 'web-ui' ? null : field.value);
    location.reload();
  } }, h('label', { for: 'from-name' }, 'From name'), h('div', { class: 'row' }, field, h('button', { class: 'plain' }, 'Use this name')), hint);
  return form;
}

function notificationChoice() {
  const can = 'Notification' in window;
  const line = h('small', {});
  const tell = () => {
    line.textContent = !can ? 'This browser shows no notifications.'
      : Notification.permission === 'denied' ? 'The browser does not allow them for this page; its site settings can.'
        : 'When this page is in the background and mail for you arrives.';
  };
  const id = 's-' + token();
  const box = h('input', { type: 'checkbox', role: 'switch', id, disabled: !can, onchange: async () => {
    const allowed = box.checked && await Notification.requestPermission() === 'granted';
    box.checked = allowed;
    save('notify', allowed ? 'on' : null);
    tell();
  } });
  box.checked = can && saved('notify') === 'on' && Notification.permission === 'granted';
  tell();
  return h('div', { class: 'switch' }, box, h('label', { for: id }, 'Notifications', line));
}

function showSettings() {
  openDialog('Settings', h('div', { class: 'settings' }, nameForm(), themeChoice(), keysSwitch(), notificationChoice()));
}

let notified = 0;

// Tells of mail for the person while nobody looks; one in two seconds at most, from one tab.
function notifyOf(event) {
  if (event.type !== 'message.sent' || event.to !== me || event.from === me || !document.hidden || !live.leads) return;
  if (saved('notify') !== 'on' || !('Notification' in window) || Notification.permission !== 'granted') return;
  if (Date.now() - notified < 2_000) return;
  notified = Date.now();
  const shown = new Notification(`Mail from ${event.from}`, { body: `${plural(world.mine.size, 'message')} for ${me}`, tag: event.id });
  shown.onclick = () => { window.focus(); go('/m/' + event.id); shown.close(); };
}
