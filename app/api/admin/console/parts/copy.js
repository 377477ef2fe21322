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
 */
export function copyButton(text, what, shown) {
  const label = h('span', { role: 'status' }, 'Copy');
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
    setTimeout(() => (label.textContent = 'Copy'), SAID_MS);
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
 * @param {unknown} body
 */
export function curl(path, body) {
  return [
    `curl ${location.origin}${path}`,
    `-H 'Authorization: Bearer YOUR_API_KEY'`,
    `-H 'Content-Type: application/json'`,
    `-d ${quoted(JSON.stringify(body))}`,
  ].join(' \\\n  ');
}
