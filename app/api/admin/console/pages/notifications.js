/** What was sent in an environment. */

import { api, ApiError, at } from '../core/api.js';
import { h } from '../core/h.js';
import { to } from '../core/router.js';
import { time } from '../core/time.js';
import { code, curl } from '../parts/copy.js';
import { empty, trouble } from '../parts/feedback.js';
import { asked, filterBar } from '../parts/filters.js';
import { heading, pager, pill, refreshButton, table, titleOf } from '../parts/page.js';

/** @type {import('../parts/filters.js').Filter[]} */
const FILTERS = [
  { name: 'subscriber_id', label: 'Subscriber', placeholder: 'user_42' },
  { name: 'category', label: 'Category (exact)', placeholder: 'comment' },
  {
    name: 'status',
    label: 'Status',
    options: [
      ['', 'Any'],
      ['delivered', 'Delivered'],
      ['scheduled', 'Scheduled'],
    ],
  },
  { name: 'after', label: 'From', kind: 'time' },
  { name: 'before', label: 'Until', kind: 'time' },
];

/** @type {import('../core/router.js').Page} */
export default async function notifications({ params, query, signal }) {
  const address = to`environments/${params.env}/notifications`;
  return {
    title: 'Notifications',
    content: [
      heading('Notifications', {
        lead: 'Direct ones, a row per person. Newest first.',
        actions: [refreshButton()],
      }),
      filterBar(address, query, FILTERS),
      await list(params.env, query, signal),
    ],
  };
}

/**
 * @param {string} env
 * @param {URLSearchParams} query
 * @param {AbortSignal} signal
 */
async function list(env, query, signal) {
  const address = to`environments/${env}/notifications`;
  try {
    const wanted = { query: asked(query, FILTERS), signal };
    const { items, next_cursor } = await api(at`environments/${env}/notifications`, wanted);
    return [
      items.length > 0 ? table('Notifications', columns(env), items) : nothing(query, address),
      pager(address, query, next_cursor),
    ];
  } catch (error) {
    if (error instanceof ApiError && error.status === 400) return trouble(error); // below the filter it is about
    throw error;
  }
}

/**
 * @param {string} env
 * @returns {import('../parts/page.js').Column<any>[]}
 */
function columns(env) {
  return [
    {
      name: 'Notification',
      kind: 'main',
      cell: (one) => [
        h('a', { href: to`environments/${env}/notifications/${one.id}` }, titleOf(one)),
        h('small', {}, one.category),
      ],
    },
    {
      name: 'Subscriber',
      cell: (one) =>
        h(
          'a',
          { class: 'plain-link', href: to`environments/${env}/subscribers/${one.subscriber_id}` },
          one.subscriber_id,
        ),
    },
    { name: 'Status', cell: (one) => [statusOf(one), ' ', one.archived && pill('archived')] },
    { name: 'Visible since', cell: (one) => visibleSince(one) },
  ];
}

/** @param {{ status: string, read: boolean }} one */
export function statusOf({ status, read }) {
  if (status === 'scheduled') return pill('scheduled', 'warn');
  return read ? pill('read', 'good') : pill('delivered', 'quiet');
}

/** What waits says from when on. @param {{ visible_at: string | null, deliver_at: string | null }} one */
export function visibleSince({ visible_at, deliver_at }) {
  return visible_at ? time(visible_at) : h('span', { class: 'quiet' }, 'from ', time(deliver_at));
}

/**
 * @param {URLSearchParams} query
 * @param {string} address
 */
function nothing(query, address) {
  if ([...query].length > 0) {
    return empty(
      'Nothing fits these filters',
      h('p', {}, 'Category and subscriber must be given exactly. ', h('a', { href: address }, 'Show all')),
    );
  }
  const body = { subscriber_id: 'user_42', category: 'comment', payload: { title: 'Grace replied to you' } };
  return empty(
    'No notification yet',
    h('p', {}, 'Send the first one from a terminal, with an API key of this environment:'),
    code(curl('/v1/notifications', { body }), 'A request with curl'),
  );
}
