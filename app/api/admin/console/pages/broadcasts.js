/** What was sent to everybody. */

import { api, at } from '../core/api.js';
import { h } from '../core/h.js';
import { to } from '../core/router.js';
import { session } from '../core/session.js';
import { time } from '../core/time.js';
import { empty } from '../parts/feedback.js';
import { asked, filterBar } from '../parts/filters.js';
import { icon } from '../parts/icons.js';
import { heading, pager, pill, refreshButton, table, titleOf } from '../parts/page.js';
import { visibleSince } from './notifications.js';

/** @type {import('../parts/filters.js').Filter[]} */
const FILTERS = [
  {
    name: 'status',
    label: 'Status',
    options: [
      ['', 'Any'],
      ['delivered', 'Delivered'],
      ['scheduled', 'Scheduled'],
    ],
  },
];

/** @type {import('../core/router.js').Page} */
export default async function broadcasts({ params, query, signal }) {
  const address = to`environments/${params.env}/broadcasts`;
  const { items, next_cursor } = await api(at`environments/${params.env}/broadcasts`, {
    query: asked(query, FILTERS),
    signal,
  });
  const compose = () =>
    session.can('broadcast:compose') &&
    h(
      'a',
      { class: 'button primary', href: to`environments/${params.env}/broadcasts/new` },
      icon('plus'),
      'Compose',
    );
  return {
    title: 'Broadcasts',
    content: [
      heading('Broadcasts', {
        lead: 'One row for everybody, however many that is. Newest first.',
        actions: [refreshButton(), compose()],
      }),
      filterBar(address, query, FILTERS),
      items.length > 0
        ? table('Broadcasts', columns(params.env), items)
        : query.get('status')
          ? empty('Nothing fits this filter', h('p', {}, h('a', { href: address }, 'Show all')))
          : empty(
              'No broadcast yet',
              h('p', {}, 'An announcement that everybody in this environment gets in the inbox.'),
              compose(),
            ),
      pager(address, query, next_cursor),
    ],
  };
}

/**
 * @param {string} env
 * @returns {import('../parts/page.js').Column<any>[]}
 */
function columns(env) {
  return [
    {
      name: 'Broadcast',
      kind: 'main',
      cell: (one) => [
        h('a', { href: to`environments/${env}/broadcasts/${one.id}` }, titleOf(one)),
        h('small', {}, one.category),
      ],
    },
    { name: 'Status', cell: (one) => broadcastStatus(one) },
    { name: 'Visible since', cell: (one) => visibleSince(one) },
    { name: 'Expires', kind: 'wide', cell: (one) => time(one.expires_at, 'never') },
  ];
}

/** @param {{ status: string }} one */
export function broadcastStatus({ status }) {
  return status === 'scheduled' ? pill('scheduled', 'warn') : pill('delivered', 'good');
}
