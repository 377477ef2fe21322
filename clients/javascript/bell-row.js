/**
 * One line of the list.
 */

import { h, icon } from './bell-dom.js';
import { ago, asText, asWebAddress, hueOf } from './bell-text.js';

/** @typedef {import('./bellwire.js').Item} Item */
/** @typedef {import('./bell-feed.js').Action} Action */
/** @typedef {typeof import('./bell-text.js').LABELS} Labels */

export class Row {
  /** @type {Item} */
  item;
  element;
  /** The part that opens the item, and takes the focus. */
  main;

  #labels;
  #time;
  #state = h('span', { class: 'hidden' });
  #dot = h('span', { class: 'dot', 'data-testid': 'item-unread' });
  #readButton;
  #archiveButton;

  /**
   * @param {Item} item Its payload never changes; what it says is written once.
   * @param {Labels} labels
   * @param {(item: Item, url: URL | null, event: Event) => void} open
   * @param {(item: Item, action: Action) => void} act
   */
  constructor(item, labels, open, act) {
    this.item = item;
    this.#labels = labels;
    const { title, body, action_url, icon_url } = item.payload;
    const url = asWebAddress(action_url, document.baseURI);
    const elsewhere = url !== null && url.origin !== location.origin;
    this.#time = h('time', {
      datetime: item.occurred_at,
      title: new Date(item.occurred_at).toLocaleString(),
    });
    this.main = h(
      url ? 'a' : 'button',
      url
        ? {
            class: 'main',
            href: url.href,
            ...(elsewhere && { target: '_blank', rel: 'noopener noreferrer' }),
          }
        : { class: 'main', type: 'button' },
      picture(item, asWebAddress(icon_url, document.baseURI)),
      h(
        'span',
        { class: 'text' },
        this.#state,
        h('span', { class: 'title', dir: 'auto' }, asText(title) || item.category),
        h('span', { class: 'body', dir: 'auto', hidden: !asText(body) }, asText(body)),
        h('span', { class: 'meta' }, this.#time, h('span', { class: 'category' }, item.category)),
      ),
    );
    this.#readButton = h('button', { type: 'button', class: 'action' });
    this.#archiveButton = h('button', { type: 'button', class: 'action' });
    this.element = h(
      'li',
      { class: 'row', 'data-testid': 'item' },
      this.main,
      h('span', { class: 'actions' }, this.#readButton, this.#archiveButton),
    );
    this.main.addEventListener('click', (event) => open(this.item, url, event));
    this.#readButton.addEventListener('click', () => act(this.item, this.item.read ? 'unread' : 'read'));
    this.#archiveButton.addEventListener('click', () =>
      act(this.item, this.item.archived ? 'unarchive' : 'archive'),
    );
    this.update(item);
  }

  /** @param {Item} item */
  update(item) {
    this.item = item;
    const { read, archived } = item;
    const labels = this.#labels;
    this.element.classList.toggle('unread', !read);
    this.#state.textContent = read ? '' : `${labels.unreadItem}: `;
    if (read) this.#dot.remove();
    else this.element.append(this.#dot);
    name(this.#readButton, read ? labels.markUnread : labels.markRead, read ? 'unread' : 'read');
    name(
      this.#archiveButton,
      archived ? labels.unarchive : labels.archive,
      archived ? 'unarchive' : 'archive',
    );
    this.tick();
  }

  /** Say again how long ago it was. */
  tick() {
    const then = Date.parse(this.item.occurred_at);
    const text = ago(then, Date.now(), document.documentElement.lang || undefined, this.#labels.now);
    if (this.#time.textContent !== text) this.#time.textContent = text;
  }
}

/**
 * @param {HTMLElement} button
 * @param {string} label
 * @param {Parameters<typeof icon>[0]} drawing
 */
function name(button, label, drawing) {
  if (button.title === label) return;
  button.title = label;
  button.setAttribute('aria-label', label);
  button.replaceChildren(icon(drawing));
}

/**
 * The item's own picture, else its category's initial; the initial too where the picture cannot be loaded.
 * @param {Item} item
 * @param {URL | null} url
 */
function picture(item, url) {
  const initial = h('span', { class: 'picture', 'aria-hidden': 'true' });
  initial.style.setProperty('--hue', String(hueOf(item.category)));
  initial.append([...item.category][0].toUpperCase());
  if (url === null) return initial;
  const image = h('img', {
    class: 'picture',
    alt: '',
    loading: 'lazy',
    referrerpolicy: 'no-referrer',
    src: url.href,
  });
  image.addEventListener('error', () => image.replaceWith(initial), { once: true });
  return image;
}
