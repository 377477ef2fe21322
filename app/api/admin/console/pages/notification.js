/** One notification, and what became of it. */

import { api, at } from '../core/api.js';
import { h } from '../core/h.js';
import { to } from '../core/router.js';
import { duration, preciseTime, time } from '../core/time.js';
import { code, curl } from '../parts/copy.js';
import { card, facts, heading, pill, refreshButton, titleOf } from '../parts/page.js';
import { payloadCards } from '../parts/payload.js';
import { statusOf } from './notifications.js';

/** @type {Record<string, [string, string]>} In the order in which they are usual. */
const STEPS = {
  created: ['Created', 'It stands in the database.'],
  delivered_hint: ['Hint published', 'A hint was published; devices that were connected heard it.'],
  seen: ['Seen', 'The bell was opened.'],
  read: ['Read', 'The item was opened, or marked as read.'],
};

/** @type {import('../core/router.js').Page} */
export default async function notification({ params, signal }) {
  const path = at`environments/${params.env}/notifications/${params.id}`;
  const [found, { timeline }] = await Promise.all([
    api(path, { signal }),
    api(`${path}/timeline`, { signal }),
  ]);
  return {
    title: titleOf(found),
    content: [
      heading(titleOf(found), {
        above: [to`environments/${params.env}/notifications`, 'Notifications'],
        lead: h('code', {}, found.id),
        actions: [refreshButton()],
      }),
      h(
        'div',
        { class: 'columns' },
        h(
          'div',
          { class: 'stack' },
          card('Details', details(params.env, found)),
          card('Timeline', steps(timeline)),
          takingBack(found),
        ),
        h('div', { class: 'stack' }, payloadCards(found, 'notification')),
      ),
    ],
  };
}

/**
 * @param {string} env
 * @param {any} found
 */
function details(env, found) {
  return facts([
    ['Status', [statusOf(found), ' ', found.archived && pill('archived')]],
    [
      'Subscriber',
      h('a', { href: to`environments/${env}/subscribers/${found.subscriber_id}` }, found.subscriber_id),
    ],
    ['Category', found.category],
    ['Created', time(found.created_at)],
    ['To be delivered', time(found.deliver_at, 'at once')],
    ['Visible since', time(found.visible_at, 'not yet')],
    ['Expires', time(found.expires_at, 'never')],
  ]);
}

/**
 * Those that happened, oldest first, each with how long it was after the one before; then those to come.
 * @param {{ status: string, occurred_at: string }[]} timeline
 */
function steps(timeline) {
  const done = timeline.map(({ status, occurred_at }, index) => {
    const before = timeline[index - 1]?.occurred_at;
    const after = before && Date.parse(occurred_at) - Date.parse(before);
    return step(status, 'done', preciseTime(occurred_at), before && ` +${duration(Number(after))}`);
  });
  const open = Object.keys(STEPS).filter((status) => timeline.every((one) => one.status !== status));
  return h(
    'ol',
    { class: 'timeline' },
    done,
    open.map((status) => step(status, 'open', 'not yet')),
  );
}

/**
 * @param {string} status
 * @param {'done' | 'open'} kind
 * @param {import('../core/h.js').Child} when
 * @param {string} [after]
 */
function step(status, kind, when, after) {
  const [name, meaning] = STEPS[status];
  return h(
    'li',
    { class: kind },
    h('span', {}, h('b', {}, name), after && h('small', {}, after)),
    h('span', { class: 'when' }, when),
    h('small', { class: 'meaning' }, meaning),
  );
}

/** @param {{ id: string, status: string }} found */
function takingBack({ id, status }) {
  const [title, becomes] =
    status === 'scheduled'
      ? ['Cancel it', 'It is never delivered then.']
      : ['Take it back', 'It disappears from the inbox and from the counts at once.'];
  return card(
    title,
    h(
      'p',
      { class: 'note' },
      'Your backend does this, or you from a terminal, with an API key of this environment. ',
      becomes,
    ),
    code(curl(`/v1/notifications/${id}`, { method: 'DELETE' }), 'A request that takes it back'),
  );
}
