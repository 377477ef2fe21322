/**
 * Elements without markup: nothing in the console parses HTML, so text from a payload stays text.
 */

/** @typedef {Node | string | number | null | undefined | false | any[]} Child any[]: of Child. */
/** @typedef {Record<string, unknown>} Props */

/**
 * @param {string} tag
 * @param {Props} [props] on…: a listener. True: present; false, null and undefined: absent.
 * @param {...Child} children
 * @returns {any}
 */
export function h(tag, props = {}, ...children) {
  return build(document.createElement(tag), props, children);
}

/**
 * The same for SVG.
 * @param {string} tag
 * @param {Props} [props]
 * @param {...Child} children
 * @returns {any}
 */
export function svg(tag, props = {}, ...children) {
  return build(document.createElementNS('http://www.w3.org/2000/svg', tag), props, children);
}

/**
 * @param {Element} element
 * @param {Props} props
 * @param {Child[]} children
 */
function build(element, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), /** @type {any} */ (value));
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  append(element, children);
  return element;
}

/**
 * @param {Element} element
 * @param {Child[]} children
 */
function append(element, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) append(element, child);
    else element.append(child instanceof Node ? child : String(child));
  }
}

let last = 0;

/** An id no other element of this page has, to tie a label or a message to its field. */
export function uniqueId() {
  last += 1;
  return `u${last}`;
}
