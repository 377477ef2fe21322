/** An environment's API keys: listed, created, revoked. */

import { api, at } from '../core/api.js';
import { h } from '../core/h.js';
import { refresh, to } from '../core/router.js';
import { session } from '../core/session.js';
import { time } from '../core/time.js';
import { copyable } from './copy.js';
import { confirmation, dialog, formDialog } from './dialog.js';
import { announce, empty } from './feedback.js';
import { field, input } from './form.js';
import { icon } from './icons.js';
import { pager, pill, table } from './page.js';

/** @typedef {{ id: string, name: string, key_prefix: string, created_at: string, last_used_at: string | null,
 *   revoked_at: string | null }} ApiKey */

/**
 * @param {string} slug
 * @param {{ items: ApiKey[], next_cursor: string | null }} list
 * @param {URLSearchParams} query
 */
export function keys(slug, { items, next_cursor }, query) {
  const may = session.can('apikey:manage');
  return h(
    'section',
    { class: 'card' },
    h(
      'div',
      { class: 'card-head' },
      h('h2', {}, 'API keys'),
      may &&
        h(
          'button',
          { type: 'button', class: 'button', onclick: () => create(slug) },
          icon('plus'),
          'New API key',
        ),
    ),
    h(
      'p',
      { class: 'note' },
      'Your backend sends with one. Give each service its own, so that each can be revoked on its own.',
    ),
    items.length === 0
      ? empty(
          'No API key yet',
          h(
            'p',
            {},
            may
              ? 'Create one to send the first notification.'
              : 'A developer or an administrator can create one.',
          ),
        )
      : table('API keys', columns(slug, may), items),
    pager(to`environments/${slug}`, query, next_cursor),
  );
}

/**
 * @param {string} slug
 * @param {boolean} may
 * @returns {import('./page.js').Column<ApiKey>[]}
 */
function columns(slug, may) {
  return [
    { name: 'Name', kind: 'main', cell: (key) => key.name },
    { name: 'Key', kind: 'keep', cell: (key) => h('code', {}, `${key.key_prefix}…`) },
    { name: 'State', cell: (key) => (key.revoked_at ? pill('revoked', 'bad') : pill('active', 'good')) },
    { name: 'Last used', kind: 'wide', cell: (key) => time(key.last_used_at, 'never') },
    { name: 'Created', kind: 'wide', cell: (key) => time(key.created_at) },
    {
      name: 'Actions',
      kind: 'end',
      cell: (key) =>
        may &&
        key.revoked_at === null &&
        h(
          'button',
          {
            type: 'button',
            class: 'button small',
            'aria-label': `Revoke ${key.name}`,
            onclick: () => revoke(slug, key),
          },
          'Revoke',
        ),
    },
  ];
}

/** @param {string} slug */
function create(slug) {
  formDialog({
    title: 'New API key',
    fields: [
      field(
        'Name',
        input({ name: 'name', required: true, maxlength: 255, placeholder: 'Billing service' }),
        'Who is going to use it.',
      ),
    ],
    submit: 'Create key',
    run: async (values) => {
      const created = await api(at`environments/${slug}/api-keys`, { method: 'POST', body: values });
      refresh();
      show(created);
    },
  });
}

/** @param {{ name: string, key: string }} created */
function show({ name, key }) {
  dialog({
    title: `Key for ${name}`,
    content: [
      h(
        'p',
        {},
        'Copy it now and keep it like a password: only a hash of it is stored, and it is ',
        h('strong', {}, 'not shown again'),
        '.',
      ),
      copyable(key, 'the API key'),
    ],
    foot: (close) =>
      h(
        'div',
        { class: 'buttons' },
        h('button', { type: 'button', class: 'button primary', onclick: close }, 'I have copied it'),
      ),
  });
}

/**
 * @param {string} slug
 * @param {ApiKey} key
 */
function revoke(slug, key) {
  confirmation({
    title: `Revoke ${key.name}?`,
    content: [
      h(
        'p',
        {},
        'Whatever still sends with ',
        h('code', {}, `${key.key_prefix}…`),
        ' is refused within a second. This cannot be undone.',
      ),
      h('p', { class: 'quiet' }, 'Last used: ', time(key.last_used_at, 'never')),
    ],
    submit: 'Revoke key',
    run: async () => {
      await api(at`environments/${slug}/api-keys/${key.id}/revoke`, { method: 'POST' });
      announce(`${key.name} revoked.`);
      refresh();
    },
  });
}
