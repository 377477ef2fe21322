/**
 * What the console says: it worked, it did not, there is nothing here yet.
 */

import { ApiError } from '../core/api.js';
import { h } from '../core/h.js';
import { mayNot } from '../core/roles.js';
import { icon } from './icons.js';

const status = /** @type {HTMLElement} */ (document.getElementById('status'));
const SHOWN_MS = 6000;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/**
 * A sentence in the corner, read out by screen readers.
 * @param {string} text
 * @param {'good' | 'bad'} [kind]
 */
export function announce(text, kind = 'good') {
  clearTimeout(timer);
  status.dataset.kind = kind;
  status.textContent = text;
  timer = setTimeout(() => (status.textContent = ''), SHOWN_MS);
}

/** In a sentence or two. @param {unknown} error */
export function reason(error) {
  const [, role, capability] =
    (error instanceof ApiError && /^the role (\w+) has no (\S+)$/.exec(error.message)) || [];
  if (capability) return mayNot(role, capability);
  if (error instanceof ApiError && error.retryAfter && error.status !== 503) {
    const minutes = Math.ceil(error.retryAfter / 60);
    return `${sentence(error.message)} Try again in ${minutes} minute${minutes === 1 ? '' : 's'}.`;
  }
  return sentence(error instanceof Error ? error.message : String(error));
}

/** @param {string} text */
function sentence(text) {
  const [first = '', ...rest] = text;
  const whole = first.toUpperCase() + rest.join('');
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}

/** An error where it happened. @param {unknown} error */
export function trouble(error) {
  return h('p', { class: 'trouble', role: 'alert' }, icon('warning'), reason(error));
}

/**
 * A page in place of one that could not be shown.
 * @param {unknown} error
 * @param {() => void} again
 * @returns {import('../core/router.js').View}
 */
export function failure(error, again) {
  const code = error instanceof ApiError ? error.code : '';
  const title =
    { not_found: 'Not found', forbidden: 'Not for your role', unreachable: 'No connection' }[code] ??
    'This page could not be loaded';
  if (!(error instanceof ApiError)) console.error(error);
  return inItsPlace(
    title,
    reason(error),
    code !== 'forbidden' && h('button', { type: 'button', class: 'button', onclick: again }, 'Try again'),
  );
}

/**
 * A page in place of one that takes a capability which this person's role has not.
 * @param {string} role
 * @param {string} capability
 */
export function notForRole(role, capability) {
  return inItsPlace('Not for your role', mayNot(role, capability));
}

/**
 * @param {string} title
 * @param {string} text
 * @param {import('../core/h.js').Child} [button]
 * @returns {import('../core/router.js').View}
 */
function inItsPlace(title, text, button) {
  return {
    title,
    content: [
      h(
        'div',
        { class: 'blank' },
        h('h1', {}, title),
        h('p', {}, text),
        h(
          'p',
          { class: 'buttons' },
          button,
          h('a', { class: 'button plain', href: '/admin' }, 'Go to the overview'),
        ),
      ),
    ],
  };
}

/**
 * In place of a list that has nothing: what it would have, and what to do next.
 * @param {string} title
 * @param {...import('../core/h.js').Child} advice
 */
export function empty(title, ...advice) {
  return h('div', { class: 'empty' }, h('strong', {}, title), advice);
}
