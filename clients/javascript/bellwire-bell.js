/**
 * <bellwire-bell>: a bell with the number of unread notifications, and the list behind it.
 *
 *   <script type="module" src="bellwire-bell.js"></script>
 *   <bellwire-bell environment="demo" subscriber="ada" subscriber-hash="…"></bellwire-bell>
 *
 * Or give it an inbox of your own, which it then neither connects nor closes: `bell.inbox = inbox`.
 */

import { h, icon } from './bell-dom.js';
import { Feed } from './bell-feed.js';
import { List } from './bell-list.js';
import { sheet } from './bell-style.js';
import { LABELS, troubleOf } from './bell-text.js';
import { BellwireInbox } from './bellwire.js';
import { IDLE } from './connection.js';

/** @typedef {import('./bellwire.js').Item} Item */
/** @typedef {typeof LABELS} Labels */

const TICK_MS = 20_000;
const MARGIN = 8;
const FILTERS = /** @type {const} */ (['all', 'unread', 'archived']);

/**
 * Tells `bellwire-open` (cancelable; `detail` is `{ item, url }`) when somebody opens an item; prevented,
 * its link is not followed.
 */
export class BellwireBell extends HTMLElement {
  static observedAttributes = [
    'environment',
    'subscriber',
    'subscriber-hash',
    'token',
    'api-url',
    'gateway-url',
  ];

  /** @type {BellwireInbox | null} */
  #inbox = null;
  /** Whether the inbox was made here, from the attributes. */
  #owned = false;
  /** @type {Feed | null} */
  #feed = null;
  /** @type {AbortController | null} While in a document: everything listened to outside of this element. */
  #listening = null;
  /** @type {Labels} */
  #labels = LABELS;
  #unread = 0;
  #remaking = false;

  #count = h('span', {
    class: 'badge',
    part: 'badge',
    'data-testid': 'badge',
    hidden: true,
    'aria-hidden': 'true',
  });
  #live = h('span', { class: 'hidden', role: 'status', 'aria-live': 'polite' });
  #bell = /** @type {HTMLButtonElement} */ (
    h(
      'button',
      { class: 'bell', part: 'bell', type: 'button', popovertarget: 'panel', 'data-testid': 'bell' },
      icon('bell'),
      this.#count,
    )
  );
  #panel = h('div', {
    id: 'panel',
    class: 'panel',
    part: 'panel',
    popover: 'auto',
    role: 'dialog',
    tabindex: -1,
  });
  /** @type {List | null} */
  #list = null;
  #readAll = /** @type {HTMLButtonElement} */ (
    h('button', { type: 'button', class: 'link', 'data-testid': 'mark-all-read' })
  );
  #filters = FILTERS.map((filter) => {
    const button = h('button', { type: 'button', 'data-testid': `filter-${filter}` });
    button.addEventListener('click', () => this.#feed?.show(filter === 'all' ? null : filter));
    return button;
  });
  #notice = h('span');
  #again = h('button', { type: 'button', class: 'link' });
  #noticeBar = h('div', { class: 'notice', hidden: true }, this.#notice, this.#again);

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [sheet()];
    root.append(this.#bell, this.#live, this.#panel);
    this.#bell.addEventListener('animationend', () => this.#bell.classList.remove('rings'));
    this.#panel.addEventListener('toggle', () => this.#watch());
    this.#panel.addEventListener('beforetoggle', (event) => {
      const closing = /** @type {ToggleEvent} */ (event).newState === 'closed';
      if (closing && root.activeElement !== null) this.#bell.focus(); // else the focus is lost with the list
    });
    this.#readAll.addEventListener('click', () => void this.#feed?.readAll());
    this.#again.addEventListener('click', () => {
      this.#inbox?.connect();
      void this.#feed?.reload();
    });
    this.#build();
  }

  /** The inbox it shows. */
  get inbox() {
    return this.#inbox;
  }

  set inbox(inbox) {
    this.#use(inbox, false);
  }

  /** What it says; assign some or all of them. */
  get labels() {
    return this.#labels;
  }

  /** @param {Partial<Labels>} labels */
  set labels(labels) {
    this.#labels = { ...LABELS, ...labels };
    this.#build();
    this.#render();
  }

  connectedCallback() {
    this.#listening = new AbortController();
    const options = { signal: this.#listening.signal, passive: true };
    document.addEventListener('visibilitychange', () => this.#watch(), options);
    addEventListener('resize', () => this.#place(), options);
    addEventListener('scroll', () => this.#place(), { ...options, capture: true });
    const ticking = setInterval(() => this.#list?.tick(), TICK_MS);
    this.#listening.signal.addEventListener('abort', () => clearInterval(ticking));
    if (this.#inbox === null) this.#remake();
    else this.#use(this.#inbox, this.#owned);
  }

  disconnectedCallback() {
    this.#listening?.abort();
    this.#listening = null;
    this.#feed?.close();
    this.#feed = null;
    if (!this.#owned) return;
    this.#inbox?.close();
    this.#inbox = null;
  }

  attributeChangedCallback() {
    if (this.#inbox === null || this.#owned) this.#remake();
  }

  /** Once for any number of attributes set in one go. */
  #remake() {
    if (this.#remaking) return;
    this.#remaking = true;
    queueMicrotask(() => {
      this.#remaking = false;
      if (!this.isConnected || (this.#inbox !== null && !this.#owned)) return;
      const value = (/** @type {string} */ name) => this.getAttribute(name) ?? undefined;
      const known = value('token') || (value('environment') && value('subscriber'));
      const inbox = known
        ? new BellwireInbox({
            environment: value('environment'),
            subscriberId: value('subscriber'),
            subscriberHash: value('subscriber-hash'),
            token: value('token'),
            apiUrl: value('api-url'),
            gatewayUrl: value('gateway-url'),
          })
        : null;
      this.#use(inbox, true);
      inbox?.connect();
    });
  }

  /**
   * @param {BellwireInbox | null} inbox
   * @param {boolean} owned
   */
  #use(inbox, owned) {
    if (this.#owned && this.#inbox !== inbox) this.#inbox?.close();
    this.#feed?.close();
    this.#feed = null;
    this.#inbox = inbox;
    this.#owned = owned;
    this.#unread = inbox?.state.counts?.unread ?? 0;
    if (inbox !== null && this.isConnected) {
      const feed = new Feed(inbox);
      const show = () => feed === this.#feed && this.#render();
      feed.addEventListener('change', show);
      inbox.addEventListener('state', show, { signal: this.#listening?.signal });
      this.#feed = feed;
      this.#watch();
    }
    this.#render();
  }

  /** The parts that carry texts. */
  #build() {
    const labels = this.#labels;
    this.#list = new List(
      labels,
      (item, url, event) => this.#openItem(item, url, event),
      (item, action) => void this.#feed?.mark(item, action),
      () => void this.#feed?.more(),
    );
    this.#readAll.textContent = labels.markAllRead;
    this.#again.textContent = labels.tryAgain;
    FILTERS.forEach((filter, at) => this.#filters[at].replaceChildren(labels.filters[filter]));
    this.#panel.setAttribute('aria-label', labels.title);
    this.#panel.replaceChildren(
      h('header', {}, h('h2', {}, labels.title), this.#readAll),
      h('div', { class: 'filters', role: 'group' }, ...this.#filters),
      this.#list.element,
      this.#noticeBar,
    );
    this.#render();
  }

  #render() {
    const unread = this.#inbox?.state.counts?.unread ?? 0;
    const unseen = this.#inbox?.state.counts?.unseen ?? 0;
    const said = this.#labels.unread(unread);
    this.#count.hidden = unread === 0;
    this.#count.textContent = unread > 99 ? '99+' : String(unread);
    this.#count.classList.toggle('unseen', unseen > 0);
    this.#bell.setAttribute('aria-label', `${this.#labels.title}: ${said}`);
    this.#readAll.disabled = unread === 0;
    if (unread > this.#unread) this.#bell.classList.add('rings');
    if (unread !== this.#unread) this.#live.textContent = said;
    this.#unread = unread;

    this.#renderNotice();
    const feed = this.#feed;
    if (feed === null || this.#list === null) return;
    FILTERS.forEach((filter, at) =>
      this.#filters[at].setAttribute('aria-pressed', String(filter === (feed.filter ?? 'all'))),
    );
    this.#list.render(feed);
  }

  #renderNotice() {
    const status = this.#inbox?.state.status ?? IDLE;
    const trouble = troubleOf(status, this.#feed?.error ?? null, this.#labels);
    this.#bell.classList.toggle('cut', status.name === 'reconnecting' || status.name === 'stopped');
    this.#noticeBar.hidden = trouble.text === '';
    this.#again.hidden = !trouble.again;
    this.#notice.textContent = trouble.text;
  }

  /**
   * @param {Item} item
   * @param {URL | null} url
   * @param {Event} event
   */
  #openItem(item, url, event) {
    const detail = { item, url: url?.href ?? null };
    const init = { detail, bubbles: true, composed: true, cancelable: true };
    if (!this.dispatchEvent(new CustomEvent('bellwire-open', init))) event.preventDefault();
    if (!item.read) void this.#feed?.mark(item, 'read');
  }

  #watch() {
    const open = this.#panel.matches(':popover-open');
    this.#place();
    if (open) this.#list?.tick();
    if (this.#feed) this.#feed.watched = open && document.visibilityState === 'visible';
  }

  /** Below the bell, or above it where there is more room, and always inside the window. */
  #place() {
    if (!this.#panel.matches(':popover-open')) return;
    const bell = this.#bell.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = this.#panel;
    const below = innerHeight - bell.bottom - 2 * MARGIN;
    const above = bell.top - 2 * MARGIN;
    const under = below >= Math.min(320, above);
    const left = Math.max(MARGIN, Math.min(bell.right - width, innerWidth - width - MARGIN));
    const style = this.#panel.style;
    style.setProperty('--room', `${Math.floor(under ? below : above)}px`);
    style.setProperty('--left', `${Math.round(left)}px`);
    style.setProperty(
      '--top',
      `${Math.round(under ? bell.bottom + MARGIN : Math.max(MARGIN, bell.top - MARGIN - height))}px`,
    );
  }
}

if (!customElements.get('bellwire-bell')) customElements.define('bellwire-bell', BellwireBell);
