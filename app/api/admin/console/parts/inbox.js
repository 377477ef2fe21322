/** Items exactly as the bell shows them: drawn by the client that front ends use. */

import { sheet } from '../client/bell-style.js';
import { LABELS } from '../client/bell-text.js';
import { Row } from '../client/bell-row.js';
import { h } from '../core/h.js';

/** @typedef {import('../client/bellwire.js').Item} Item */

/** What only the person can do is left out. */
const CONSOLE = new CSSStyleSheet();
CONSOLE.replaceSync(
  ':host { display: block; } .actions { display: none; } .row:last-child { border-bottom: 0; }',
);

/**
 * @param {Item[]} items
 * @param {(item: Item) => void} [open] Without it they are for the eye only.
 */
export function inbox(items, open) {
  const host = h('div', { class: 'bell', inert: open === undefined });
  const shadow = host.attachShadow({ mode: 'open' });
  shadow.adoptedStyleSheets = [sheet(), CONSOLE];
  shadow.append(
    h(
      'ul',
      {},
      items.map((item) => row(item, open)),
    ),
  );
  return host;
}

/**
 * Pictures from elsewhere are not loaded and links not followed: the console talks to its own server only.
 * @param {Item} item
 * @param {((item: Item) => void) | undefined} open
 */
function row(item, open) {
  const { action_url: _, icon_url: __, ...payload } = item.payload;
  const shown = new Row(
    { ...item, payload },
    LABELS,
    () => open?.(item),
    () => {},
  );
  return shown.element;
}
