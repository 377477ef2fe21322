/** Jobs that failed ten times, and another try for them. */

import { api, at } from '../core/api.js';
import { environments } from '../core/environments.js';
import { h } from '../core/h.js';
import { refresh, to } from '../core/router.js';
import { session } from '../core/session.js';
import { time } from '../core/time.js';
import { shortId } from '../parts/copy.js';
import { formDialog } from '../parts/dialog.js';
import { announce, empty, reason } from '../parts/feedback.js';
import { asked, filterBar } from '../parts/filters.js';
import { field, select } from '../parts/form.js';
import { count, heading, pager, refreshButton, table } from '../parts/page.js';

/** @type {import('../core/router.js').Page} */
export default async function deadLetters({ query, signal }) {
  const chosen = query.get('environment') ?? '';
  /** @type {import('../parts/filters.js').Filter[]} */
  const filters = [{ name: 'environment', label: 'Environment', options: choices('Any', chosen) }];
  const { items, next_cursor } = await api('dlq', { query: asked(query, filters), signal });
  const may = session.can('dlq:replay');
  return {
    title: 'Dead letters',
    content: [
      heading('Dead letters', {
        lead: 'Jobs parked after their tenth failure. Oldest first. A replay applies each once, where it stopped.',
        actions: [
          refreshButton(),
          may &&
            items.length > 0 &&
            h(
              'button',
              { type: 'button', class: 'button primary', onclick: () => replayAll(chosen) },
              'Replay all',
            ),
        ],
      }),
      filterBar(to`dead-letters`, query, filters),
      items.length > 0
        ? table('Dead letters', columns(may), items)
        : chosen
          ? empty(
              'No dead letters of this environment',
              h('p', {}, h('a', { href: to`dead-letters` }, 'Show those of all')),
            )
          : empty('No dead letters', h('p', {}, 'Every job did its work. Nothing to do here.')),
      pager(to`dead-letters`, query, next_cursor, ['Oldest', 'Newer']),
    ],
  };
}

/**
 * Environments to choose from, by slug; the chosen one among them, however it was named in the address.
 * @param {string} all What to call all of them.
 * @param {string} chosen
 * @returns {[string, string][]}
 */
function choices(all, chosen) {
  const known = environments.known.map(({ slug, name }) => /** @type {[string, string]} */ ([slug, name]));
  const isKnown = chosen === '' || known.some(([slug]) => slug === chosen);
  return [['', all], ...known, ...(isKnown ? [] : [/** @type {[string, string]} */ ([chosen, chosen])])];
}

/**
 * @param {boolean} may
 * @returns {import('../parts/page.js').Column<any>[]}
 */
function columns(may) {
  return [
    {
      name: 'Job',
      kind: 'main',
      cell: (one) => [h('span', {}, one.job_type), h('small', {}, shortId(one.id))],
    },
    {
      name: 'Environment',
      cell: (one) =>
        h('a', { class: 'plain-link', href: to`environments/${one.environment_slug}` }, one.environment_slug),
    },
    { name: 'Last error', kind: 'text', cell: (one) => h('code', { class: 'error-text' }, one.last_error) },
    { name: 'Attempts', kind: 'number wide', cell: (one) => one.attempts },
    { name: 'Parked', cell: (one) => time(one.parked_at) },
    {
      name: 'Actions',
      kind: 'end',
      cell: (one) =>
        may &&
        h(
          'button',
          {
            type: 'button',
            class: 'button small',
            'aria-label': `Replay ${one.job_type} ${one.id}`,
            onclick: () => replay(one),
          },
          'Replay',
        ),
    },
  ];
}

/** @param {{ id: string }} job */
async function replay({ id }) {
  try {
    const { replayed } = await api(at`dlq/${id}/replay`, { method: 'POST' });
    announce(`${count(replayed, 'job')} put back in the queue.`);
    refresh();
  } catch (error) {
    announce(reason(error), 'bad');
  }
}

/** @param {string} chosen What the list is filtered by. */
function replayAll(chosen) {
  formDialog({
    title: 'Replay all dead letters?',
    content: [
      h(
        'p',
        {},
        'They go back to the queue with fresh attempts. One whose cause is not mended is going to be back here.',
      ),
    ],
    fields: [field('Of', select({ name: 'environment' }, choices('every environment', chosen), chosen))],
    submit: 'Replay them',
    run: async (values) => {
      const { replayed } = await api('dlq/replay-all', { method: 'POST', query: values });
      announce(`${count(replayed, 'job')} put back in the queue.`);
      refresh();
    },
  });
}
