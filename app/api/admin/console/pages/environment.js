/** One environment: how to begin, keys, secret, settings. */

import { api, at } from '../core/api.js';
import { environments as menu } from '../core/environments.js';
import { h } from '../core/h.js';
import { refresh } from '../core/router.js';
import { session } from '../core/session.js';
import { time } from '../core/time.js';
import { keys } from '../parts/api-keys.js';
import { code, curl } from '../parts/copy.js';
import { confirmed } from '../parts/dialog.js';
import { announce } from '../parts/feedback.js';
import { checkbox, field, form, input } from '../parts/form.js';
import { card, facts, heading, pill } from '../parts/page.js';
import { secret } from '../parts/secret.js';

/** @type {import('../core/router.js').Page} */
export default async function environment({ params, query, signal }) {
  const path = at`environments/${params.env}`;
  const [found, list] = await Promise.all([
    api(path, { signal }),
    session.can('apikey:read')
      ? api(`${path}/api-keys`, { query: { cursor: query.get('cursor') }, signal })
      : null,
  ]);
  return {
    title: found.name,
    content: [
      heading(found.name, {
        lead: ['Slug ', h('code', {}, found.slug), ' · created ', time(found.created_at)],
      }),
      list && keys(found.slug, list, query),
      secret(found),
      settings(found),
      sending(),
    ],
  };
}

/** @param {any} found */
function settings(found) {
  if (!session.can('env:manage')) {
    return card(
      'Settings',
      facts([
        ['Name', found.name],
        [
          'Proof of identity',
          found.require_subscriber_hash ? pill('required', 'good') : pill('not required', 'warn'),
        ],
      ]),
    );
  }
  return card(
    'Settings',
    form({
      fields: [
        field('Name', input({ name: 'name', value: found.name, required: true, maxlength: 255 })),
        checkbox(
          'Require proof of identity',
          { name: 'require_subscriber_hash', checked: found.require_subscriber_hash },
          'On: a front end must show a hash or token made with the secret; sockets that came without are closed. Off: anybody who knows an id can read that inbox.',
        ),
      ],
      submit: 'Save settings',
      run: async (values) => {
        if (found.require_subscriber_hash && !values.require_subscriber_hash && !(await opened(found)))
          return;
        await api(at`environments/${found.slug}`, { method: 'PATCH', body: values });
        await menu.load();
        announce('Settings saved.');
        refresh();
      },
    }),
  );
}

/** Whether the person wants the inboxes open, knowing what that means. @param {{ name: string }} found */
function opened({ name }) {
  return confirmed({
    title: 'Stop requiring proof of identity?',
    content: [
      h(
        'p',
        {},
        h('strong', {}, 'Anybody who knows an id can then read that inbox'),
        `, and mark and archive what is in it, without a hash or a token. This holds for everybody in ${name}, at once. Ids are no secret: do this for development only.`,
      ),
    ],
    submit: 'Stop requiring proof',
    dismiss: 'Keep it required',
  });
}

function sending() {
  const body = { subscriber_id: 'user_42', category: 'comment', payload: { title: 'Grace replied to you' } };
  return card(
    'Send a notification',
    h(
      'p',
      {},
      'With an API key of this environment, from your backend or a terminal. ',
      h('a', { href: '/docs' }, 'The API reference'),
      ' has every field.',
    ),
    code(curl('/v1/notifications', { body }), 'A request with curl'),
  );
}
