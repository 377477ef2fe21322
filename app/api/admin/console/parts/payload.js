/** A payload as it was sent, and how the bell shows it. */

import { asWebAddress } from '../client/bell-text.js';
import { h } from '../core/h.js';
import { code } from './copy.js';
import { inbox } from './inbox.js';
import { card } from './page.js';

/**
 * @param {{ id: string, category: string, payload: any, created_at: string, visible_at: string | null,
 *   read?: boolean, archived?: boolean }} item
 * @param {'notification' | 'broadcast'} source
 */
export function payloadCards(item, source) {
  const { id, category, payload, read = false, archived = false } = item;
  const occurred_at = item.visible_at ?? item.created_at;
  return [
    card(
      'In the inbox',
      inbox([{ id, source, category, payload, occurred_at, read, archived }]),
      linkNote(payload),
    ),
    card('Payload', code(JSON.stringify(payload, null, 2), 'The payload')),
  ];
}

/** What the bell does with the addresses in a payload. @param {any} payload */
export function linkNote(payload) {
  /** @param {string} name */
  const text = (name) => (typeof payload?.[name] === 'string' ? payload[name] : '');
  const [action, picture] = ['action_url', 'icon_url'].map(text);
  return [
    action &&
      (asWebAddress(action, document.baseURI)
        ? h('p', { class: 'note' }, 'A click opens ', h('code', {}, action))
        : ignored('action_url', action)),
    picture &&
      (asWebAddress(picture, document.baseURI)
        ? h(
            'p',
            { class: 'note' },
            'Shows the picture ',
            h('code', {}, picture),
            ' (the console loads nothing from elsewhere)',
          )
        : ignored('icon_url', picture)),
  ];
}

/**
 * @param {string} name
 * @param {string} value
 */
function ignored(name, value) {
  return h(
    'p',
    { class: 'callout' },
    h('code', {}, name),
    ' is not a web address (http or https), so the bell ignores it: ',
    h('code', {}, value),
  );
}
