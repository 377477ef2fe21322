/**
 * Drawings for the eye only: whatever they stand on carries the name.
 */

import { svg } from '../core/h.js';

/** Strokes on a 24 by 24 grid. */
const ICONS = {
  bell: 'M6.2 9.5a5.8 5.8 0 0 1 11.6 0c0 5.4 2.2 6.3 2.2 7.5H4c0-1.2 2.2-2.1 2.2-7.5ZM9.8 20a2.3 2.3 0 0 0 4.4 0',
  chart: 'M4 4v16h16M8 15.5l3.5-4.5 3 2.5L19.5 7',
  inbox: 'M4 13.5 6.6 5h10.8L20 13.5V19H4zM4 13.5h4.5a3.5 3.5 0 0 0 7 0H20',
  broadcast: 'M5 10v4h3l7 4V6L8 10zM18.5 9.5a4 4 0 0 1 0 5M9 14.5V19h2.5v-3',
  person: 'M12 12a3.7 3.7 0 1 0 0-7.4 3.7 3.7 0 0 0 0 7.4ZM4.8 20a7.2 7.2 0 0 1 14.4 0',
  people:
    'M9 11.5A3.2 3.2 0 1 0 9 5a3.2 3.2 0 0 0 0 6.5ZM3 19a6 6 0 0 1 12 0M15.5 5.4a3.2 3.2 0 0 1 0 5.7M18 14a6 6 0 0 1 3 5',
  key: 'M14.8 13.2a4.6 4.6 0 1 0-4-4L4 16v4h4v-2.2h2.2v-2.2zM15.8 8.2h.01',
  layers: 'M12 4 3.5 8.5 12 13l8.5-4.5zM3.5 12.5 12 17l8.5-4.5M3.5 16.3 12 20.8l8.5-4.5',
  list: 'M8.5 6.5H20M8.5 12H20M8.5 17.5H20M4.5 6.5h.01M4.5 12h.01M4.5 17.5h.01',
  updown: 'm8 10 4-4 4 4M8 14l4 4 4-4',
  leave: 'M10 4.5H5v15h5M10 12h10M16.5 8.5 20 12l-3.5 3.5',
  menu: 'M4 7h16M4 12h16M4 17h16',
  copy: 'M9 9h10.5v10.5H9zM15 9V4.5H4.5V15H9',
  plus: 'M12 5v14M5 12h14',
  refresh:
    'M19.5 5v4.5H15M4.5 19v-4.5H9M5.6 9.5a7 7 0 0 1 12-2.3l1.9 2.3M18.4 14.5a7 7 0 0 1-12 2.3l-1.9-2.3',
  warning: 'M12 4.5 2.8 19.5h18.4zM12 10.5v4M12 17h.01',
};

/** @param {string} name One of ICONS. */
export function icon(name) {
  const drawing = ICONS[/** @type {keyof typeof ICONS} */ (name)];
  return svg(
    'svg',
    { viewBox: '0 0 24 24', class: 'icon', 'aria-hidden': 'true' },
    svg('path', { d: drawing }),
  );
}
