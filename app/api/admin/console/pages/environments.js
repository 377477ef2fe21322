/** The environments there are, and a new one. */

import { api } from '../core/api.js';
import { environments as menu } from '../core/environments.js';
import { h } from '../core/h.js';
import { go, to } from '../core/router.js';
import { session } from '../core/session.js';
import { time } from '../core/time.js';
import { announce, empty } from '../parts/feedback.js';
import { checkbox, field, input } from '../parts/form.js';
import { formDialog } from '../parts/dialog.js';
import { icon } from '../parts/icons.js';
import { heading, pager, pill, table } from '../parts/page.js';

/** @type {import('../core/router.js').Page} */
export default async function environments({ query, signal }) {
  const { items, next_cursor } = await api('environments', {
    query: { cursor: query.get('cursor') },
    signal,
  });
  const may = session.can('env:manage');
  const button = () =>
    h(
      'button',
      { type: 'button', class: 'button primary', onclick: create },
      icon('plus'),
      'New environment',
    );
  return {
    title: 'Environments',
    content: [
      heading('Environments', {
        lead: 'Each has its own subscribers, API keys and secret; nothing crosses from one to another.',
        actions: [may && button()],
      }),
      items.length === 0
        ? empty(
            'No environment yet',
            h('p', {}, 'Production and staging are usual. Everything else lives in one.'),
            may ? button() : h('p', {}, 'An administrator can create one.'),
          )
        : table('Environments', COLUMNS, items),
      pager(to`environments`, query, next_cursor, ['First', 'Further']),
    ],
  };
}

/** @type {import('../parts/page.js').Column<any>[]} */
const COLUMNS = [
  { name: 'Name', kind: 'main', cell: (one) => h('a', { href: to`environments/${one.slug}` }, one.name) },
  { name: 'Slug', cell: (one) => h('code', {}, one.slug) },
  {
    name: 'Proof of identity',
    kind: 'wide',
    cell: (one) => (one.require_subscriber_hash ? pill('required', 'good') : pill('not required', 'warn')),
  },
  { name: 'Created', kind: 'wide', cell: (one) => time(one.created_at) },
];

function create() {
  formDialog({
    title: 'New environment',
    fields: [
      field('Name', input({ name: 'name', required: true, maxlength: 255, placeholder: 'Production' })),
      field(
        'Slug',
        input({
          name: 'slug',
          required: true,
          maxlength: 255,
          pattern: '[A-Za-z0-9_\\-]+',
          title: 'Letters, digits, _ and -',
          placeholder: 'production',
        }),
        'What clients name it by: letters, digits, _ and -. It cannot be changed later.',
      ),
      checkbox(
        'Require proof of identity',
        { name: 'require_subscriber_hash', checked: true },
        'Front ends must show a hash or token made with the secret. Without it, anybody can read any inbox: for development only.',
      ),
    ],
    submit: 'Create environment',
    run: async (values) => {
      const created = await api('environments', { method: 'POST', body: values });
      await menu.load();
      announce(`Environment ${created.slug} created.`);
      go(to`environments/${created.slug}`);
    },
  });
}
