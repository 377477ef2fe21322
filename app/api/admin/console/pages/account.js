/** One's own account. */

import { api, at } from '../core/api.js';
import { h } from '../core/h.js';
import { ROLES } from '../core/roles.js';
import { session } from '../core/session.js';
import { ZONE } from '../core/time.js';
import { announce } from '../parts/feedback.js';
import { field, form, input } from '../parts/form.js';
import { card, facts, heading } from '../parts/page.js';

/** @type {import('../core/router.js').Page} */
export default function account() {
  const me = /** @type {import('../core/session.js').Me} */ (session.me);
  return {
    title: 'Your account',
    content: [
      heading('Your account'),
      h(
        'div',
        { class: 'columns' },
        card(
          'You',
          facts([
            ['Name', me.name],
            ['Email', me.email],
            ['Role', me.role],
            ['It may', ROLES[/** @type {keyof typeof ROLES} */ (me.role)] ?? me.capabilities.join(', ')],
            ['Times are shown in', ZONE],
          ]),
        ),
        card(
          'Password',
          h('p', { class: 'note' }, 'A new one signs you out everywhere, here too.'),
          form({
            fields: [
              field(
                'Current password',
                input({
                  name: 'current_password',
                  type: 'password',
                  autocomplete: 'current-password',
                  required: true,
                }),
              ),
              field(
                'New password',
                input({
                  name: 'password',
                  type: 'password',
                  autocomplete: 'new-password',
                  required: true,
                  minlength: 12,
                  maxlength: 1024,
                }),
                '12 characters or more.',
              ),
            ],
            submit: 'Change password',
            run: async (values) => {
              await api(at`users/${me.id}/password`, { method: 'POST', body: values });
              await session.load(); // there is none any more: on to the sign-in
              announce('Password changed. Sign in with the new one.');
            },
          }),
        ),
      ),
    ],
  };
}
