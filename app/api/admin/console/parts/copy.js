/**
 * Things to take away: a button that copies, secrets, code.
 */

import { h } from '../core/h.js';
import { icon } from './icons.js';

const SAID_MS = 1600;

/**
 * @param {() => string} text
 * @param {string} what Its name, for those who cannot see where the button stands.
 * @param {() => Element} [shown] Selected where the browser does not let us copy (no TLS): one keystroke is left.
 * @param {string} [name] On the button, where it is more than its drawing.
 */
export function copyButton(text, what, shown, name = 'Copy') {
  const label = h('span', { role: 'status' }, name);
  const button = h(
    'button',
    { type: 'button', class: 'button small', 'aria-label': `Copy ${what}` },
    icon('copy'),
    label,
  );
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(text());
      label.textContent = 'Copied';
    } catch {
      if (shown) getSelection()?.selectAllChildren(shown());
      label.textContent = shown ? 'Selected' : 'Not allowed';
    }
    setTimeout(() => (label.textContent = name), SAID_MS);
  });
  return button;
}

/**
 * A value to copy, in full.
 * @param {string} value
 * @param {string} what
 */
export function copyable(value, what) {
  const shown = h('code', { class: 'value' }, value);
  return h(
    'div',
    { class: 'copyable' },
    shown,
    copyButton(
      () => value,
      what,
      () => shown,
    ),
  );
}

/**
 * An id on one line of a table: its two ends, the whole one to copy. What is no id is shown as it is.
 * @param {string} id
 */
export function shortId(id) {
  if (!/^[a-z]+_[0-9a-z]{26}$/.test(id)) return h('code', { class: 'id' }, id);
  const shown = h('code', { class: 'id', title: id }, `${id.slice(0, id.indexOf('_') + 5)}…${id.slice(-6)}`);
  const whole = () => {
    shown.textContent = id;
    return shown;
  };
  return h(
    'span',
    { class: 'short-id' },
    shown,
    copyButton(() => id, id, whole, ''),
  );
}

/**
 * A command for a terminal, or anything else with lines.
 * @param {string} text
 * @param {string} what
 */
export function code(text, what) {
  const shown = h('pre', { tabindex: '0', role: 'region', 'aria-label': what }, text);
  return h(
    'div',
    { class: 'code' },
    shown,
    copyButton(
      () => text,
      what.toLowerCase(),
      () => shown,
    ),
  );
}

/** One word for a POSIX shell. @param {string} text */
function quoted(text) {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/**
 * A request of the management plane, to paste into a terminal.
 * @param {string} path
 * @param {{ method?: string, body?: unknown }} request
 */
export function curl(path, { method, body }) {
  return [
    `curl ${method ? `-X ${method} ` : ''}${location.origin}${path}`,
    `-H 'Authorization: Bearer YOUR_API_KEY'`,
    ...(body === undefined
      ? []
      : [`-H 'Content-Type: application/json'`, `-d ${quoted(JSON.stringify(body))}`]),
  ].join(' \\\n  ');
}
