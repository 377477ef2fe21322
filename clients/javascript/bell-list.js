/**
 * The list as elements: a row per item, kept across updates, so that neither the focus nor the scroll
 * position jumps when something arrives.
 */

import { h, icon } from './bell-dom.js';
import { Row } from './bell-row.js';
import { inPlaceOfItems } from './bell-text.js';

/** @typedef {import('./bell-feed.js').Feed} Feed */
/** @typedef {typeof import('./bell-text.js').LABELS} Labels */

export class List {
  element;

  #labels;
  #open;
  #act;
  /** @type {Map<string, Row>} */
  #rows = new Map();
  #list = h('ul', { 'data-testid': 'list' });
  #emptyText = h('span');
  #empty;
  #more;

  /**
   * @param {Labels} labels
   * @param {ConstructorParameters<typeof Row>[2]} open
   * @param {ConstructorParameters<typeof Row>[3]} act
   * @param {() => void} more
   */
  constructor(labels, open, act, more) {
    this.#labels = labels;
    this.#open = open;
    this.#act = act;
    this.#list.setAttribute('aria-label', labels.title);
    this.#empty = h('div', { class: 'empty', hidden: true }, icon('bell'), this.#emptyText);
    this.#more = h('button', { type: 'button', class: 'more', hidden: true }, labels.more);
    this.#more.addEventListener('click', more);
    this.#list.addEventListener('keydown', (event) => this.#move(event));
    this.element = h('div', { class: 'scroll' }, this.#list, this.#empty, this.#more);
  }

  /** @param {Feed} feed */
  render(feed) {
    const root = /** @type {ShadowRoot} */ (this.element.getRootNode());
    const held = root.activeElement?.closest('li');
    const heldAt = held ? [...this.#list.children].indexOf(held) : -1;

    const rows = new Map();
    for (const item of feed.items) {
      const row = this.#rows.get(item.id) ?? new Row(item, this.#labels, this.#open, this.#act);
      row.update(item);
      rows.set(item.id, row);
    }
    for (const [id, row] of this.#rows) if (!rows.has(id)) row.element.remove();
    this.#rows = rows;
    let place = this.#list.firstElementChild;
    for (const { element } of rows.values()) {
      if (element === place) place = element.nextElementSibling;
      else this.#list.insertBefore(element, place);
    }

    this.#list.hidden = rows.size === 0;
    this.#more.hidden = feed.nextCursor === null || rows.size === 0;
    this.#sayEmpty(feed);
    if (held && !held.isConnected) this.#focus(Math.min(heldAt, rows.size - 1));
  }

  tick() {
    for (const row of this.#rows.values()) row.tick();
  }

  /** @param {Feed} feed */
  #sayEmpty(feed) {
    this.#empty.hidden = feed.items.length > 0;
    if (this.#empty.hidden) return;
    const [title, advice] = inPlaceOfItems(feed, this.#labels);
    // A page may say what to do next, in the slot "empty".
    const slot = feed.loaded && feed.filter === null ? h('slot', { name: 'empty' }, advice) : advice;
    this.#emptyText.replaceChildren(h('strong', {}, title), h('br'), slot);
  }

  /** @param {KeyboardEvent} event */
  #move(event) {
    const held = /** @type {Element} */ (event.target).closest('li');
    const at = held ? [...this.#list.children].indexOf(held) : -1;
    const last = this.#list.children.length - 1;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.#focus(Math.max(0, Math.min(to, last)));
  }

  /** @param {number} at */
  #focus(at) {
    const row = [...this.#rows.values()][at];
    if (row) row.main.focus();
    else /** @type {HTMLElement | null} */ (this.element.closest('[popover]'))?.focus();
  }
}
