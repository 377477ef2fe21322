/** One notification, and what became of it. */

import { api, at } from '../core/api.js';
import { h } from '../core/h.js';
import { to } from '../core/router.js';
import { time } from '../core/time.js';
import { card, facts, heading, pill, refreshButton, titleOf } from '../parts/page.js';
import { payloadCards } from '../parts/payload.js';
import { statusOf } from './notifications.js';

/** @type {Record<string, [string, string]>} */
const STEPS = {
  created: ['Created', 'It stands in the database.'],
  delivered_hint: ['Hint published', 'Open devices of this person were told.'],
  seen: ['Seen', 'The list was opened.'],
  read: ['Read', 'The item was opened, or marked as read.'],
};

/** @type {import('../core/router.js').Page} */
export default async function notification({ params, signal }) {
  const path = at`environments/${params.env}/notifications/${params.id}`;
  const [found, { timeline }] = await Promise.all([
    api(path, { signal }),
    api(`${path}/timeline`, { signal }),
  ]);
  return {
    title: titleOf(found),
    content: [
      heading(titleOf(found), {
        above: [to`environments/${params.env}/notifications`, 'Notifications'],
        lead: h('code', {}, found.id),
        actions: [refreshButton()],
      }),
      h(
        'div',
        { class: 'columns' },
        h(
          'div',
          { class: 'stack' },
          card('Details', details(params.env, found)),
          card('Timeline', steps(timeline)),
        ),
        h('div', { class: 'stack' }, payloadCards(found, 'notification')),
      ),
    ],
  };
}

/**
 * @param {string} env
 * @param {any} found
 */
function details(env, found) {
  return facts([
    ['Status', [statusOf(found), ' ', found.archived && pill('archived')]],
    [
      'Subscriber',
      h('a', { href: to`environments/${env}/subscribers/${found.subscriber_id}` }, found.subscriber_id),
    ],
    ['Category', found.category],
    ['Created', time(found.created_at)],
    ['To be delivered', time(found.deliver_at, 'at once')],
    ['Visible', time(found.visible_at, 'not yet')],
    ['Expires', time(found.expires_at, 'never')],
  ]);
}

/** @param {{ status: string, occurred_at: string }[]} timeline */
function steps(timeline) {
  return h(
    'ol',
    { class: 'timeline' },
    Object.entries(STEPS).map(([status, [name, meaning]]) => {
      const step = timeline.find((one) => one.status === status);
      return h(
        'li',
        { class: step ? 'done' : 'open' },
        h('b', {}, name),
        h('span', { class: 'when' }, step ? time(step.occurred_at) : 'not yet'),
        h('small', {}, meaning),
      );
    }),
  );
}
