/** Finding a person. */

import { api, at } from '../core/api.js';
import { h } from '../core/h.js';
import { go, to } from '../core/router.js';
import { time } from '../core/time.js';
import { empty } from '../parts/feedback.js';
import { input, valuesOf } from '../parts/form.js';
import { heading, pager, refreshButton, table } from '../parts/page.js';

/** @type {import('../core/router.js').Page} */
export default async function subscribers({ params, query, signal }) {
  const address = to`environments/${params.env}/subscribers`;
  const { items, next_cursor } = await api(at`environments/${params.env}/subscribers`, {
    query: { cursor: query.get('cursor') },
    signal,
  });
  return {
    title: 'Subscribers',
    content: [
      heading('Subscribers', {
        lead: 'The people of this environment, by your own ids. Newest first.',
        actions: [refreshButton()],
      }),
      lookup(params.env),
      items.length > 0
        ? table('Subscribers', columns(params.env), items)
        : empty(
            'Nobody yet',
            h(
              'p',
              {},
              'A subscriber comes into being with the first notification to it, or when its front end first connects.',
            ),
          ),
      pager(address, query, next_cursor),
    ],
  };
}

/** @param {string} env */
function lookup(env) {
  const element = h(
    'form',
    { class: 'filters', role: 'search', 'aria-label': 'Look up a subscriber' },
    h(
      'div',
      { class: 'field grow' },
      h('label', { for: 'lookup' }, 'Subscriber id'),
      input({ id: 'lookup', name: 'id', required: true, placeholder: 'user_42' }),
    ),
    h('div', { class: 'buttons' }, h('button', { class: 'button primary' }, 'Look up')),
  );
  element.addEventListener('submit', (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const { id } = /** @type {{ id: string }} */ (valuesOf(element));
    if (id) go(to`environments/${env}/subscribers/${id}`);
  });
  return element;
}

/**
 * @param {string} env
 * @returns {import('../parts/page.js').Column<any>[]}
 */
function columns(env) {
  return [
    {
      name: 'Subscriber',
      kind: 'main',
      cell: (one) =>
        h('a', { href: to`environments/${env}/subscribers/${one.subscriber_id}` }, one.subscriber_id),
    },
    { name: 'Created', cell: (one) => time(one.created_at) },
  ];
}
