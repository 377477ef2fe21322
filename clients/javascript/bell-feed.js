/**
 * The list a bell shows, kept in step with the inbox while somebody looks at it. No DOM in here.
 *
 * Hints come in bursts and the list is one request away, so: fetch at the first hint, then at most once in
 * GAP_MS, and always once after the last. While nobody looks, nothing is fetched; counts need no list.
 */

/** @typedef {import('./bellwire.js').BellwireInbox} BellwireInbox */
/** @typedef {import('./bellwire.js').Item} Item */
/** @typedef {import('./bellwire.js').Page} Page */
/** @typedef {'unread' | 'archived' | null} Filter */
/** @typedef {'read' | 'unread' | 'archive' | 'unarchive'} Action */

export const GAP_MS = 250;
const PAGE = 20;
const LONGEST_PAGE = 100;

/** Tells `change` after every change of its public fields. */
export class Feed extends EventTarget {
  /** @type {Item[]} */
  items = [];
  /** @type {string | null} */
  nextCursor = null;
  /** @type {Filter} */
  filter = null;
  /** Whether `items` is what the server said, and not only empty for now. */
  loaded = false;
  loading = false;
  /** @type {unknown} Why the last thing asked for did not work; null when it did. */
  error = null;

  #inbox;
  #watched = false;
  /** @type {AbortController | null} The request under way; what an aborted one brings is dropped. */
  #request = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #gap;
  #stale = true;
  /** Marks under way. A list fetched meanwhile might not know of them yet. */
  #marks = 0;
  /** @type {string | null} */
  #seenUpTo = null;
  #listening = new AbortController();

  /** @param {BellwireInbox} inbox */
  constructor(inbox) {
    super();
    this.#inbox = inbox;
    const options = { signal: this.#listening.signal };
    const refresh = () => this.refresh();
    inbox.addEventListener('hint', refresh, options);
    inbox.addEventListener('counts', () => this.#see(), options); // they may follow the list they count
    inbox.addEventListener('status', () => inbox.state.status.name === 'live' && refresh(), options);
  }

  /** Stop listening; what is under way is dropped. */
  close() {
    this.#listening.abort();
    this.#request?.abort();
    clearTimeout(this.#gap);
    this.#watched = false;
  }

  /** Whether somebody looks at the list right now. */
  get watched() {
    return this.#watched;
  }

  set watched(watched) {
    if (watched === this.#watched) return;
    this.#watched = watched;
    if (!watched) return;
    if (this.#stale) this.refresh();
    else this.#see();
  }

  /** The list may have changed. */
  refresh() {
    this.#stale = true;
    if (this.#watched && !this.#request && !this.#marks && this.#gap === undefined) void this.#fetch();
  }

  /** Fetch now, whatever is under way. */
  reload() {
    clearTimeout(this.#gap);
    this.#gap = undefined;
    return this.#fetch();
  }

  /** @param {Filter} filter */
  show(filter) {
    if (filter === this.filter) return;
    this.filter = filter;
    this.items = [];
    this.nextCursor = null;
    this.loaded = false;
    void this.reload();
  }

  /** Append the next page. */
  async more() {
    const cursor = this.nextCursor;
    if (cursor === null || this.#request) return;
    await this.#load({ cursor, limit: PAGE }, (page) => {
      const known = new Set(this.items.map((item) => item.id));
      this.items = [...this.items, ...page.items.filter((item) => !known.has(item.id))];
    });
  }

  /**
   * Shown at once, asked for at the same time, and put right by the list fetched afterwards.
   * @param {Item} item
   * @param {Action} action
   */
  mark(item, action) {
    const changed = { read: { read: true }, unread: { read: false }, archive: {}, unarchive: {} }[action];
    const leaves =
      action === 'archive' || action === 'unarchive' || (action === 'read' && this.filter === 'unread');
    return this.#mark(
      this.items.flatMap((other) => (other.id !== item.id ? other : leaves ? [] : { ...other, ...changed })),
      () => this.#inbox[action](item),
    );
  }

  /** Everything on screen and older: what arrives in this moment stays unread. */
  readAll() {
    return this.#mark(
      this.filter === 'unread' ? [] : this.items.map((item) => ({ ...item, read: true })),
      () => this.#inbox.readAll({ upTo: this.items[0]?.id }),
    );
  }

  /**
   * @param {Item[]} items
   * @param {() => Promise<unknown>} request
   */
  async #mark(items, request) {
    const asked = request(); // before the items change: it may name them
    this.#request?.abort();
    this.#request = null;
    this.#marks++;
    this.items = items;
    this.#changed();
    let failure = null;
    try {
      await asked;
    } catch (error) {
      failure = error;
    }
    this.#marks--;
    if (this.#marks === 0) await this.reload();
    if (failure === null) return;
    this.error = failure;
    this.#changed();
  }

  async #fetch() {
    this.#stale = false;
    const limit = Math.min(Math.max(this.items.length, PAGE), LONGEST_PAGE);
    await this.#load({ limit }, (page) => {
      this.items = page.items;
    });
  }

  /**
   * @param {import('./bellwire.js').Query} query
   * @param {(page: Page) => void} take
   */
  async #load(query, take) {
    this.#request?.abort();
    const request = (this.#request = new AbortController());
    this.loading = true;
    this.#changed();
    try {
      const page = await this.#inbox.items({ ...query, filter: this.filter, signal: request.signal });
      if (request.signal.aborted) return;
      take(page);
      this.nextCursor = page.next_cursor;
      this.loaded = true;
      this.error = null;
    } catch (error) {
      if (request.signal.aborted) return;
      this.error = error;
    }
    this.#request = null;
    this.loading = false;
    this.#changed();
    this.#see();
    this.#gap = setTimeout(() => {
      this.#gap = undefined;
      if (this.#stale) this.refresh();
    }, GAP_MS);
  }

  /** Tell once what newest item has been on screen. */
  #see() {
    const newest = this.items[0]?.id;
    if (!this.#watched || this.filter === 'archived' || !newest || newest === this.#seenUpTo) return;
    if (this.#inbox.state.counts?.unseen === 0) return;
    this.#seenUpTo = newest;
    this.#inbox.seenAll({ upTo: newest }).catch(() => {
      this.#seenUpTo = null; // the next list tries again
    });
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}
