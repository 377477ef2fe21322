/** A new broadcast, seen as the inbox is going to show it. */

import { api, at } from '../core/api.js';
import { h } from '../core/h.js';
import { go, to } from '../core/router.js';
import { appointment, fromLocalInput, inHowLong, ZONE } from '../core/time.js';
import { audience, people, reach } from '../parts/audience.js';
import { confirmed } from '../parts/dialog.js';
import { announce } from '../parts/feedback.js';
import { field, FieldError, form, input, valuesOf } from '../parts/form.js';
import { inbox } from '../parts/inbox.js';
import { card, heading } from '../parts/page.js';
import { linkNote } from '../parts/payload.js';

/** @type {import('../core/router.js').Page} */
export default async function composer({ params, signal }) {
  const whom = reach(params.env, signal);
  await whom.follow('announcement');
  const preview = h('div', { class: 'preview' });
  const deed = h('span');
  const key = `console_${crypto.randomUUID?.() ?? Date.now()}`; // sent twice by a shaky line, it arrives once
  const compose = form({
    fields: [
      field(
        'Title',
        input({ name: 'title', required: true, maxlength: 500, autofocus: true, spellcheck: 'true' }),
      ),
      field('Body', h('textarea', { name: 'body', rows: 3, maxlength: 4000 })),
      field(
        'Category',
        input({ name: 'category', required: true, maxlength: 255, value: 'announcement' }),
        'What people can mute.',
      ),
      field(
        'Link',
        input({ name: 'action_url', type: 'url', placeholder: 'https://…' }),
        'Opened by a click on the item.',
      ),
      h(
        'details',
        { class: 'more' },
        h('summary', {}, 'Picture, delivery and expiry'),
        field('Picture', input({ name: 'icon_url', type: 'url', placeholder: 'https://…' })),
        field(
          'Deliver at',
          input({ name: 'deliver_at', type: 'datetime-local' }),
          `Empty: at once. Your time, ${ZONE}.`,
        ),
        field(
          'Expire at',
          input({ name: 'expires_at', type: 'datetime-local' }),
          'It leaves every inbox then. Empty: never.',
        ),
      ),
    ],
    submit: deed,
    beside: [h('a', { class: 'button plain', href: to`environments/${params.env}/broadcasts` }, 'Cancel')],
    run: async (values) => {
      const body = { ...requestOf(values), idempotency_key: key };
      checkTimes(body);
      const reached = people(await audience(params.env, body.category, signal));
      if (!(await confirmed(question(body, reached)))) return;
      const sent = await api(at`environments/${params.env}/broadcasts`, { method: 'POST', body });
      announce(body.deliver_at ? 'Broadcast scheduled.' : 'Broadcast sent.');
      go(to`environments/${params.env}/broadcasts/${sent.id}`);
    },
  });
  const show = () => {
    const { category, payload, deliver_at } = requestOf(valuesOf(compose));
    whom.follow(category);
    deed.textContent = deliver_at ? 'Schedule broadcast' : 'Send broadcast';
    const item = {
      id: 'preview',
      source: /** @type {const} */ ('broadcast'),
      category: category || 'category',
      payload: payload.title ? payload : { ...payload, title: 'Your title' },
      occurred_at: new Date().toISOString(),
      read: false,
      archived: false,
    };
    preview.replaceChildren(inbox([item]), ...linkNote(payload).filter((note) => note instanceof Node));
  };
  compose.addEventListener('input', show);
  show();
  return {
    title: 'New broadcast',
    content: [
      heading('New broadcast', { above: [to`environments/${params.env}/broadcasts`, 'Broadcasts'] }),
      h(
        'div',
        { class: 'columns' },
        card('Message', compose),
        h(
          'div',
          { class: 'stack' },
          h(
            'section',
            { class: 'card', 'aria-label': 'Preview' },
            h('h2', {}, 'As the inbox shows it'),
            preview,
          ),
          card('Audience', whom.place),
        ),
      ),
    ],
  };
}

/** @typedef {{ deliver_at: string | null, expires_at: string | null }} Times */

/**
 * By the browser's clock; the server has the last word.
 * @param {Times} times
 * @throws {FieldError}
 */
function checkTimes({ deliver_at, expires_at }) {
  if (deliver_at && Date.parse(deliver_at) <= Date.now()) {
    throw new FieldError('deliver_at', 'This moment is past. Leave it empty to send at once.');
  }
  if (expires_at && deliver_at && Date.parse(expires_at) <= Date.parse(deliver_at)) {
    throw new FieldError('expires_at', 'It would expire before it is delivered.');
  }
  if (expires_at && Date.parse(expires_at) <= Date.now()) {
    throw new FieldError('expires_at', 'This moment is past: nobody would see it.');
  }
}

/**
 * @param {Times & { payload: Record<string, string> }} body
 * @param {string} reached
 */
function question({ payload, deliver_at, expires_at }, reached) {
  return {
    title: deliver_at ? `Schedule for ${reached}?` : `Send to ${reached}?`,
    content: [
      h(
        'p',
        {},
        `“${payload.title}” appears in every inbox `,
        deliver_at
          ? ['on ', h('strong', {}, appointment(deliver_at)), `, ${inHowLong(deliver_at)}.`]
          : 'at once.',
      ),
      expires_at &&
        h('p', {}, 'It leaves every inbox on ', appointment(expires_at), `, ${inHowLong(expires_at)}.`),
    ],
    submit: deliver_at ? 'Schedule it' : 'Send it',
    harmless: true,
  };
}

/** @param {any} values */
function requestOf({ category, deliver_at, expires_at, ...payload }) {
  const filled = Object.fromEntries(Object.entries(payload).filter(([, value]) => value));
  return {
    category,
    payload: filled,
    deliver_at: fromLocalInput(deliver_at) || null,
    expires_at: fromLocalInput(expires_at) || null,
  };
}
