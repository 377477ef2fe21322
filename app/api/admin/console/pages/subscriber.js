/** One person: what the inbox shows, and why. */

import { api, at } from '../core/api.js';
import { h } from '../core/h.js';
import { go, to, withQuery } from '../core/router.js';
import { time } from '../core/time.js';
import { empty } from '../parts/feedback.js';
import { inbox } from '../parts/inbox.js';
import { card, facts, heading, pill, refreshButton, table } from '../parts/page.js';

/** @type {import('../core/router.js').Page} */
export default async function subscriber({ params, signal }) {
  const { env, id } = params;
  const found = await api(at`environments/${env}/subscribers/${id}`, { signal });
  return {
    title: found.subscriber_id,
    content: [
      heading(found.subscriber_id, {
        above: [to`environments/${env}/subscribers`, 'Subscribers'],
        lead: ['Subscriber since ', time(found.created_at)],
        actions: [
          refreshButton(),
          h(
            'a',
            {
              class: 'button',
              href: withQuery(to`environments/${env}/notifications`, { subscriber_id: id }),
            },
            'Notifications',
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
            'Counts',
            h(
              'p',
              { class: 'note' },
              'Unread: neither read nor archived. Unseen: came since the bell was last opened, read and archived ones included: only opening the bell makes items seen.',
            ),
            facts([
              ['Unread', h('b', { class: 'number' }, found.counts.unread.toLocaleString())],
              ['Unseen', h('b', { class: 'number' }, found.counts.unseen.toLocaleString())],
              ['Version', h('code', {}, found.counts.version)],
            ]),
          ),
          card('Watermarks', watermarks(found.watermarks)),
          card('Preferences', preferences(found.preferences)),
        ),
        card(
          'What this person sees',
          h(
            'p',
            { class: 'note' },
            'The newest items of the inbox, muted and archived ones left out, as the bell shows them.',
          ),
          found.inbox.length > 0
            ? inbox(found.inbox, (item) => go(addressOf(env, item)))
            : empty(
                'An empty inbox',
                h('p', {}, 'Nothing was sent to this person yet, or all of it is archived or muted.'),
              ),
        ),
      ),
    ],
  };
}

/**
 * @param {string} env
 * @param {{ id: string, source: string }} item
 */
function addressOf(env, { id, source }) {
  return source === 'broadcast'
    ? to`environments/${env}/broadcasts/${id}`
    : to`environments/${env}/notifications/${id}`;
}

/** @param {Record<string, { notification: string | null, broadcast: string | null }>} marks */
function watermarks(marks) {
  const rows = ['read', 'seen', 'archive'].map((name) => ({ name, ...marks[name] }));
  return [
    h(
      'p',
      { class: 'note' },
      'Everything up to these moments is read, seen or archived, unless an item says otherwise.',
    ),
    table(
      'Watermarks',
      [
        { name: 'Watermark', kind: 'main', cell: (row) => row.name },
        { name: 'Notifications', cell: (row) => time(row.notification, 'none') },
        { name: 'Broadcasts', cell: (row) => time(row.broadcast, 'none') },
      ],
      rows,
    ),
  ];
}

/** @param {{ category: string, channel: string, enabled: boolean }[]} list */
function preferences(list) {
  if (list.length === 0) return h('p', { class: 'quiet' }, 'Nothing set: every category is shown.');
  return table(
    'Preferences',
    [
      { name: 'Category', kind: 'main', cell: (one) => one.category },
      { name: 'State', cell: (one) => (one.enabled ? pill('shown', 'good') : pill('muted', 'warn')) },
    ],
    list,
  );
}
