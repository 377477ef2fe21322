/** Who may use the console, and for what. */

import { api, at } from '../core/api.js';
import { h } from '../core/h.js';
import { ROLES } from '../core/roles.js';
import { refresh, to } from '../core/router.js';
import { session } from '../core/session.js';
import { time } from '../core/time.js';
import { confirmation, formDialog } from '../parts/dialog.js';
import { announce } from '../parts/feedback.js';
import { field, input, select } from '../parts/form.js';
import { icon } from '../parts/icons.js';
import { heading, pager, pill, table } from '../parts/page.js';

/** @typedef {{ id: string, email: string, name: string, role: keyof typeof ROLES, disabled: boolean, created_at: string }} User */

/** @type {import('../core/router.js').Page} */
export default async function users({ query, signal }) {
  const { items, next_cursor } = await api('users', { query: { cursor: query.get('cursor') }, signal });
  return {
    title: 'Users',
    content: [
      heading('Users', {
        lead: 'People who use this console. A change of role, disabling and deletion act at once.',
        actions: [
          h('button', { type: 'button', class: 'button primary', onclick: create }, icon('plus'), 'New user'),
        ],
      }),
      table('Users', COLUMNS, items),
      pager(to`users`, query, next_cursor),
    ],
  };
}

/** @type {import('../parts/page.js').Column<User>[]} */
const COLUMNS = [
  { name: 'User', kind: 'main', cell: (user) => [h('span', {}, user.name), h('small', {}, user.email)] },
  { name: 'Role', cell: (user) => user.role },
  { name: 'State', cell: (user) => (user.disabled ? pill('disabled', 'bad') : pill('active', 'good')) },
  { name: 'Created', kind: 'wide', cell: (user) => time(user.created_at) },
  {
    name: 'Actions',
    kind: 'end',
    cell: (user) => [
      action('Edit', user, edit),
      action('Password', user, setPassword),
      user.id !== session.me?.id &&
        action(user.disabled ? 'Enable' : 'Disable', user, user.disabled ? enable : disable),
      user.id !== session.me?.id && action('Delete', user, remove),
    ],
  },
];

/**
 * @param {string} text
 * @param {User} user
 * @param {(user: User) => void} run
 */
function action(text, user, run) {
  const label = `${text}: ${user.email}`;
  return h(
    'button',
    { type: 'button', class: 'button small', 'aria-label': label, onclick: () => run(user) },
    text,
  );
}

/** @param {keyof typeof ROLES} [chosen] */
function roleField(chosen = 'viewer') {
  const meaning = h('span', { 'aria-live': 'polite' }, ROLES[chosen]);
  const roles = Object.keys(ROLES).map((role) => /** @type {[string, string]} */ ([role, role]));
  const control = select({ name: 'role' }, roles, chosen);
  control.addEventListener('change', () => {
    meaning.textContent = ROLES[/** @type {keyof typeof ROLES} */ (control.value)];
  });
  return field('Role', control, meaning);
}

/** @param {string} label */
function passwordField(label) {
  return field(
    label,
    input({
      name: 'password',
      type: 'password',
      autocomplete: 'new-password',
      required: true,
      minlength: 12,
      maxlength: 1024,
    }),
    '12 characters or more.',
  );
}

function create() {
  formDialog({
    title: 'New user',
    fields: [
      field('Email', input({ name: 'email', type: 'email', required: true, maxlength: 255 })),
      field('Name', input({ name: 'name', required: true, maxlength: 255 })),
      roleField(),
      passwordField('Password'),
    ],
    submit: 'Create user',
    run: async (values) => {
      const { email } = await api('users', { method: 'POST', body: values });
      announce(`${email} can sign in now.`);
      refresh();
    },
  });
}

/** @param {User} user */
function edit(user) {
  formDialog({
    title: `Edit ${user.email}`,
    fields: [
      field('Name', input({ name: 'name', required: true, maxlength: 255, value: user.name })),
      roleField(user.role),
    ],
    submit: 'Save',
    run: async (values) => {
      await change(user, values);
      announce(`${user.email} saved.`);
      if (user.id === session.me?.id) await session.load();
      refresh();
    },
  });
}

/** @param {User} user */
function setPassword(user) {
  formDialog({
    title: `Password of ${user.email}`,
    content: [h('p', {}, 'It ends all sessions of this user.')],
    fields: [
      user.id === session.me?.id &&
        field(
          'Current password',
          input({
            name: 'current_password',
            type: 'password',
            autocomplete: 'current-password',
            required: true,
          }),
        ),
      passwordField('New password'),
    ],
    submit: 'Set password',
    run: async (values) => {
      await api(at`users/${user.id}/password`, { method: 'POST', body: values });
      announce(`Password of ${user.email} set.`);
      refresh();
    },
  });
}

/** @param {User} user */
function disable(user) {
  confirmation({
    title: `Disable ${user.email}?`,
    content: [h('p', {}, 'This user is signed out at once and cannot sign in until enabled again.')],
    submit: 'Disable user',
    run: async () => {
      await change(user, { disabled: true });
      announce(`${user.email} disabled.`);
      refresh();
    },
  });
}

/** @param {User} user */
function enable(user) {
  confirmation({
    title: `Enable ${user.email}?`,
    content: [h('p', {}, 'This user can sign in again with the same password.')],
    submit: 'Enable user',
    harmless: true,
    run: async () => {
      await change(user, { disabled: false });
      announce(`${user.email} enabled.`);
      refresh();
    },
  });
}

/** @param {User} user */
function remove(user) {
  confirmation({
    title: `Delete ${user.email}?`,
    content: [
      h(
        'p',
        {},
        'This user is signed out at once. What the user did stays in the audit. This cannot be undone.',
      ),
    ],
    submit: 'Delete user',
    run: async () => {
      await api(at`users/${user.id}`, { method: 'DELETE' });
      announce(`${user.email} deleted.`);
      refresh();
    },
  });
}

/**
 * @param {User} user
 * @param {Record<string, unknown>} changes
 */
function change(user, changes) {
  return api(at`users/${user.id}`, { method: 'PATCH', body: changes });
}
