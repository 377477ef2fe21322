/**
 * What the console says: it worked, it did not, there is nothing here yet.
 */

import { ApiError } from '../core/api.js';
import { h } from '../core/h.js';
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

/** In one sentence. @param {unknown} error */
export function reason(error) {
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
  return {
    title,
    content: [
      h(
        'div',
        { class: 'blank' },
        h('h1', {}, title),
        h('p', {}, reason(error)),
        h(
          'p',
          { class: 'buttons' },
          h('button', { type: 'button', class: 'button', onclick: again }, 'Try again'),
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
