/** Sign in; then on to where the person wanted to go. */

import { h } from '../core/h.js';
import { refresh } from '../core/router.js';
import { session } from '../core/session.js';
import { field, form, input } from '../parts/form.js';
import { icon } from '../parts/icons.js';

/** @type {import('../core/router.js').Page} */
export default function login() {
  const email = input({
    name: 'email',
    type: 'email',
    autocomplete: 'username',
    required: true,
    autofocus: true,
  });
  const password = input({
    name: 'password',
    type: 'password',
    autocomplete: 'current-password',
    required: true,
  });
  return {
    title: 'Sign in',
    bare: true,
    content: [
      h(
        'div',
        { class: 'login-card' },
        h('p', { class: 'login-brand' }, icon('bell'), 'Bellwire'),
        h('h1', {}, 'Sign in to the console'),
        form({
          fields: [field('Email', email), field('Password', password)],
          submit: 'Sign in',
          run: async (values) => {
            await session.signIn(values.email, values.password);
            refresh();
          },
        }),
      ),
    ],
  };
}
