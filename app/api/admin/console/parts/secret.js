/** An environment's secret: shown on demand, rotated in two steps. */

import { api, at } from '../core/api.js';
import { h } from '../core/h.js';
import { refresh } from '../core/router.js';
import { session } from '../core/session.js';
import { time } from '../core/time.js';
import { copyable } from './copy.js';
import { confirmation } from './dialog.js';
import { announce, reason } from './feedback.js';
import { card, facts, pill } from './page.js';

/** @typedef {{ slug: string, has_previous_secret: boolean, subscriber_hmac_rotated_at: string | null,
 *   subscriber_hmac_secret?: string }} Environment */

/** @param {Environment} found */
export function secret(found) {
  const may = session.can('hmac:rotate');
  return card(
    'Secret',
    h(
      'p',
      { class: 'note' },
      'Your backend signs subscriber ids with it; that is how a front end proves whose inbox it may read.',
    ),
    found.has_previous_secret && overlap(may),
    facts([
      [
        'State',
        found.has_previous_secret ? pill('two secrets valid', 'warn') : pill('one secret valid', 'good'),
      ],
      ['Last rotated', time(found.subscriber_hmac_rotated_at, 'never')],
    ]),
    found.subscriber_hmac_secret !== undefined && reveal(found.subscriber_hmac_secret),
    may &&
      h(
        'div',
        { class: 'buttons' },
        h('button', { type: 'button', class: 'button', onclick: () => rotate(found.slug) }, 'Rotate secret'),
        found.has_previous_secret &&
          h(
            'button',
            { type: 'button', class: 'button', onclick: () => complete(found) },
            'Complete rotation',
          ),
      ),
  );
}

/** @param {boolean} may Complete it. */
function overlap(may) {
  return h(
    'div',
    { class: 'callout' },
    h('strong', {}, 'A rotation is under way'),
    h(
      'p',
      {},
      'The new and the previous secret are both valid, so nothing breaks while you give the new one to every ',
      'backend that signs. ',
      may
        ? 'Then complete the rotation: until you do, whoever holds the previous secret can still sign.'
        : 'An administrator completes the rotation.',
    ),
  );
}

/** @param {string} value */
function reveal(value) {
  const place = h('div', { class: 'reveal' });
  const show = h('button', { type: 'button', class: 'button', 'aria-expanded': 'false' }, 'Show secret');
  show.addEventListener('click', () => {
    const open = show.getAttribute('aria-expanded') !== 'true';
    show.setAttribute('aria-expanded', String(open));
    show.textContent = open ? 'Hide secret' : 'Show secret';
    place.replaceChildren(show, ...(open ? [copyable(value, 'the secret')] : []));
    show.focus();
  });
  place.append(show);
  return place;
}

/** Asks for how things are now: somebody else may have rotated since. @param {string} slug */
async function rotate(slug) {
  /** @type {Environment} */
  let found;
  try {
    found = await api(at`environments/${slug}`);
  } catch (error) {
    announce(reason(error), 'bad');
    return;
  }
  confirmation({
    title: 'Rotate the secret?',
    content: [
      h(
        'p',
        {},
        'A new secret is made. The current one stays valid as the previous one, so nothing breaks: give the new one to your backends, then complete the rotation.',
      ),
      found.has_previous_secret &&
        h(
          'div',
          { class: 'callout' },
          h('strong', {}, 'A rotation is under way already'),
          h(
            'p',
            {},
            'Only two secrets are kept. Rotating again drops the previous one at once: whoever still signs with it is cut off, and it cannot be brought back. Give the current one to every backend and complete the rotation first.',
          ),
        ),
    ],
    submit: found.has_previous_secret ? 'Drop the previous one and rotate' : 'Rotate secret',
    harmless: !found.has_previous_secret,
    run: async () => {
      await api(at`environments/${slug}/hmac/rotate`, { method: 'POST' });
      announce('Secret rotated. The previous one is still valid.');
      refresh();
    },
  });
}

/** @param {Environment} found */
function complete(found) {
  confirmation({
    title: 'Complete the rotation?',
    content: [
      h(
        'p',
        {},
        'The previous secret stops being valid. Sockets and requests whose proof was made with it are refused within two seconds. This cannot be undone.',
      ),
    ],
    submit: 'Complete rotation',
    run: async () => {
      await api(at`environments/${found.slug}/hmac/rotate/complete`, { method: 'POST' });
      announce('Rotation complete. One secret is valid.');
      refresh();
    },
  });
}
