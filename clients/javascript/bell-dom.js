/**
 * Elements without markup: nothing here parses HTML, so a strict content security policy and trusted types
 * are content, and text from a payload stays text.
 */

/**
 * @param {string} tag
 * @param {Record<string, string | number | boolean | null | undefined>} [attributes] True: present; false,
 *   null: absent.
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children);
  return element;
}

/** Strokes on a 24 by 24 grid. */
const ICONS = {
  bell: 'M6.2 9.5a5.8 5.8 0 0 1 11.6 0c0 5.4 2.2 6.3 2.2 7.5H4c0-1.2 2.2-2.1 2.2-7.5ZM9.8 20a2.3 2.3 0 0 0 4.4 0',
  archive: 'M3.5 4.5h17v4h-17zM5 8.5h14v10a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1zM10 12.5h4',
  unarchive:
    'M3.5 4.5h17v4h-17zM5 8.5h14v10a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1zM12 16.8V12M9.8 13.9 12 11.7l2.2 2.2',
  read: 'm5 12.6 4.6 4.4L19 7.5',
  unread: 'M12 8.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7Z',
};

/**
 * A drawing for the eye only; its button carries the name.
 * @param {keyof typeof ICONS} name
 */
export function icon(name) {
  const namespace = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(namespace, 'svg');
  const path = document.createElementNS(namespace, 'path');
  path.setAttribute('d', ICONS[name]);
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  svg.append(path);
  return svg;
}
