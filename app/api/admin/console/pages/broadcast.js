/** One broadcast, and taking it back. */

import { api, at } from '../core/api.js';
import { h } from '../core/h.js';
import { go, to } from '../core/router.js';
import { session } from '../core/session.js';
import { time } from '../core/time.js';
import { confirmation } from '../parts/dialog.js';
import { announce } from '../parts/feedback.js';
import { card, facts, heading, titleOf } from '../parts/page.js';
import { payloadCards } from '../parts/payload.js';
import { broadcastStatus } from './broadcasts.js';

/** @type {import('../core/router.js').Page} */
export default async function broadcast({ params, signal }) {
  const found = await api(at`environments/${params.env}/broadcasts/${params.id}`, { signal });
  const verb = found.status === 'scheduled' ? 'Cancel' : 'Retract';
  return {
    title: titleOf(found),
    content: [
      heading(titleOf(found), {
        above: [to`environments/${params.env}/broadcasts`, 'Broadcasts'],
        lead: h('code', {}, found.id),
        actions: [
          session.can('broadcast:compose') &&
            h(
              'button',
              { type: 'button', class: 'button', onclick: () => retract(params.env, found, verb) },
              verb,
            ),
        ],
      }),
      h(
        'div',
        { class: 'columns' },
        h(
          'div',
          { class: 'stack' },
          card(
            'Details',
            facts([
              ['Status', broadcastStatus(found)],
              ['Category', found.category],
              ['Created', time(found.created_at)],
              ['To be delivered', time(found.deliver_at, 'at once')],
              ['Visible since', time(found.visible_at, 'not yet')],
              ['Expires', time(found.expires_at, 'never')],
              ['Idempotency key', h('code', {}, found.idempotency_key)],
            ]),
          ),
        ),
        h('div', { class: 'stack' }, payloadCards(found, 'broadcast')),
      ),
    ],
  };
}

/**
 * @param {string} env
 * @param {any} found
 * @param {string} verb
 */
function retract(env, found, verb) {
  const title = titleOf(found);
  confirmation({
    title: `${verb} “${title}”?`,
    content: [
      h(
        'p',
        {},
        found.status === 'scheduled'
          ? 'It is never going to be delivered. This cannot be undone.'
          : 'It disappears from every inbox at once, and from the counts. Those who have read it have read it. This cannot be undone.',
      ),
    ],
    submit: `${verb} broadcast`,
    dismiss: found.status === 'scheduled' ? 'Keep it' : undefined,
    run: async () => {
      await api(at`environments/${env}/broadcasts/${found.id}`, { method: 'DELETE' });
      announce(`“${title}” ${found.status === 'scheduled' ? 'cancelled' : 'retracted'}.`);
      go(to`environments/${env}/broadcasts`);
    },
  });
}
