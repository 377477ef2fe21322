/** Whom a broadcast reaches. */

import { api, at } from '../core/api.js';
import { h } from '../core/h.js';
import { count } from './page.js';

/** @typedef {{ subscribers: number, muted: number, is_exact: boolean }} Audience */

const PAUSE_MS = 300; // of typing, before it is asked again

/**
 * @param {string} env
 * @param {string} category
 * @param {AbortSignal} [signal]
 * @returns {Promise<Audience>}
 */
export function audience(env, category, signal) {
  return api(at`environments/${env}/audience`, { query: { category }, signal });
}

/** "312 people", "more than 100,000 people". @param {Audience} found */
export function people({ subscribers, is_exact }) {
  return `${is_exact ? '' : 'more than '}${count(subscribers, 'person', 'people')}`;
}

/**
 * Follows a category while it is typed.
 * @param {string} env
 * @param {AbortSignal} signal
 */
export function reach(env, signal) {
  const place = h('div', { class: 'reach', 'aria-live': 'polite' });
  /** @type {string | undefined} */
  let asked;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  /** @param {string} category */
  async function ask(category) {
    try {
      const found = await audience(env, category, signal);
      if (category === asked) place.replaceChildren(...told(found, category));
    } catch {
      if (category === asked) place.replaceChildren(h('p', { class: 'figure unknown' }, 'unknown'));
    }
  }

  /** @param {string} category */
  async function follow(category) {
    if (category === asked) return;
    const first = asked === undefined;
    asked = category;
    clearTimeout(timer);
    if (first) await ask(category);
    else timer = setTimeout(() => ask(category), PAUSE_MS);
  }
  return { place, follow };
}

/**
 * @param {Audience} found
 * @param {string} category
 */
function told(found, category) {
  const { muted } = found;
  return [
    h('p', { class: 'figure' }, people(found)),
    h('p', { class: 'note' }, 'Every subscriber of this environment that exists when it is delivered.'),
    ...(muted > 0
      ? [
          h(
            'p',
            { class: 'note' },
            `${muted.toLocaleString()} of them muted `,
            h('code', {}, category),
            ' and will not see it.',
          ),
        ]
      : []),
  ];
}
