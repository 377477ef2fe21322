/** Who did what, when. */

import { api } from '../core/api.js';
import { h } from '../core/h.js';
import { to } from '../core/router.js';
import { time } from '../core/time.js';
import { shortId } from '../parts/copy.js';
import { empty } from '../parts/feedback.js';
import { heading, pager, refreshButton, table } from '../parts/page.js';

/** @type {import('../core/router.js').Page} */
export default async function audit({ query, signal }) {
  const { items, next_cursor } = await api('audit', { query: { cursor: query.get('cursor') }, signal });
  return {
    title: 'Audit',
    content: [
      heading('Audit', {
        lead: 'Every change made through the console, its API or the command line. Newest first.',
        actions: [refreshButton()],
      }),
      items.length > 0
        ? table('Audit', COLUMNS, items)
        : empty('Nothing yet', h('p', {}, 'The first change made here is going to be on record.')),
      pager(to`audit`, query, next_cursor),
    ],
  };
}

/** @type {import('../parts/page.js').Column<any>[]} */
const COLUMNS = [
  { name: 'When', cell: (entry) => time(entry.occurred_at) },
  {
    name: 'Who',
    kind: 'keep',
    cell: (entry) => entry.actor?.email ?? h('span', { class: 'quiet' }, 'command line or server'),
  },
  { name: 'What', kind: 'main keep', cell: (entry) => entry.action },
  { name: 'On', cell: (entry) => [target(entry), environment(entry.environment_slug)] },
  { name: 'Details', kind: 'text wide', cell: (entry) => details(entry.details) },
];

/** @param {{ target: string | null, environment_slug: string | null }} entry */
function target({ target: id, environment_slug }) {
  return id ? shortId(id) : !environment_slug && h('span', { class: 'quiet' }, '–');
}

/** @param {string | null} slug */
function environment(slug) {
  return (
    slug &&
    h(
      'small',
      { class: 'below' },
      'in ',
      h('a', { class: 'plain-link', href: to`environments/${slug}` }, slug),
    )
  );
}

/** @param {unknown} value */
function details(value) {
  const pairs = Object.entries(/** @type {object} */ (value ?? {}));
  if (pairs.length === 0) return h('span', { class: 'quiet' }, '–');
  return h(
    'ul',
    {},
    pairs.map(([name, given]) =>
      h('li', {}, h('span', { class: 'quiet' }, name.replaceAll('_', ' '), ': '), told(given)),
    ),
  );
}

/** @param {unknown} given */
function told(given) {
  if (typeof given === 'boolean') return given ? 'yes' : 'no';
  if (typeof given !== 'string') return JSON.stringify(given);
  return /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(given) ? time(given) : given;
}
