/**
 * Bellwire's inbox: live counts and hints over a websocket, the list and the marks over HTTP.
 *
 *   const inbox = new BellwireInbox({ environment: 'demo', subscriberId: 'ada' });
 *   inbox.addEventListener('counts', ({ detail }) => show(detail.unread));
 *   inbox.addEventListener('hint', async () => render(await inbox.items()));
 *   inbox.connect();
 *
 * A hint says that something changed, never what the inbox now holds: the list is the truth. Whoever
 * shows it fetches it again on every hint, and whenever the status turns live, for what was missed.
 */

import { Connection, IDLE } from './connection.js';
import { Credentials } from './credentials.js';

/** @typedef {import('./connection.js').Status} Status */

/**
 * @typedef {object} Connecting
 * @property {string} [apiUrl] Where the API is; this page's own origin when left out.
 * @property {string} [gatewayUrl] The gateway's websocket; by default /v1/inbox/ws beside the API.
 * @property {typeof WebSocket} [WebSocket] For a runtime that has none of its own.
 * @property {typeof globalThis.fetch} [fetch]
 *
 * @typedef {import('./credentials.js').Identity & Connecting} Options
 */

/**
 * @typedef {object} Item
 * @property {string} id
 * @property {'notification' | 'broadcast'} source
 * @property {string} category
 * @property {Record<string, unknown>} payload From outside: show it as text, never as markup.
 * @property {string} occurred_at RFC 3339, UTC.
 * @property {boolean} read
 * @property {boolean} archived
 *
 * @typedef {object} Page
 * @property {Item[]} items Newest first.
 * @property {string | null} next_cursor Null exactly when nothing follows.
 *
 * @typedef {object} Counts
 * @property {number} unread
 * @property {number} unseen
 * @property {number} version Grows with every change of this inbox.
 * @property {Record<string, { unread: number, unseen: number }>} [categories]
 *
 * @typedef {object} State What a renderer needs; a new object whenever something in it changed.
 * @property {Status} status
 * @property {Counts | null} counts Null until the first are known.
 *
 * @typedef {object} Hint
 * @property {string} reason
 * @property {string | null} id The one item concerned, where it is one.
 *
 * @typedef {object} Query
 * @property {number} [limit] 1 to 100.
 * @property {string | null} [cursor]
 * @property {'unread' | 'archived' | null} [filter]
 * @property {string[]} [categories] Exact, or a prefix such as `order.*`.
 * @property {AbortSignal} [signal]
 *
 * @typedef {object} Preference
 * @property {string} category Exact.
 * @property {'in_app'} channel
 * @property {boolean} enabled False: muted.
 *
 * @typedef {string | { notification?: string | null, broadcast?: string | null }} UpTo What is on screen:
 *   one item (it and everything older), or the newest of each source.
 */

const OPTIONS = [
  'environment',
  'subscriberId',
  'subscriberHash',
  'token',
  'apiUrl',
  'gatewayUrl',
  'WebSocket',
  'fetch',
];

/** The API said no, and why. {@link refuses} tells whether trying again is any use. */
export class BellwireError extends Error {
  name = 'BellwireError';

  /**
   * @param {number} status
   * @param {string} code
   * @param {string} message
   * @param {number | null} retryAfterS
   */
  constructor(status, code, message, retryAfterS) {
    super(message);
    /** The HTTP status. */
    this.status = status;
    /** What to decide by; the message is for people. */
    this.code = code;
    /** When to try again, where the server said so. */
    this.retryAfterS = retryAfterS;
  }
}

/**
 * Whether the API will refuse the same request again, as it does not accept who asks.
 * @param {unknown} error
 */
export function refuses(error) {
  return error instanceof BellwireError && (error.status === 401 || error.status === 403);
}

/**
 * Events, each a CustomEvent with its value in `detail`: `counts` {@link Counts}, `hint` {@link Hint},
 * `status` {@link Status}, `state` {@link State} (after a change of counts or status), and `frame`, every
 * frame as it came.
 */
export class BellwireInbox extends EventTarget {
  #apiUrl;
  #credentials;
  #fetch;
  #connection;
  /** @type {State} */
  #state = Object.freeze({ status: IDLE, counts: null });
  /** How often the counts started afresh; a reply asked for before that is not comparable. */
  #epoch = 0;

  /** @param {Options} options */
  constructor(options) {
    super();
    const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name));
    if (unknown !== undefined) {
      throw new TypeError(`no option ${unknown}; there are ${OPTIONS.join(', ')}`);
    }
    this.#apiUrl = (options.apiUrl ?? '').replace(/\/+$/, '');
    this.#credentials = new Credentials(options);
    this.#fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
    this.#connection = new Connection({
      url: options.gatewayUrl ?? gatewayBeside(this.#apiUrl),
      credentials: this.#credentials,
      WebSocket: options.WebSocket ?? globalThis.WebSocket,
      onStatus: (status) => this.#change('status', status, { status }),
      onFrame: (frame) => this.#receive(frame),
    });
  }

  /** What is known now. The same object until something changes. */
  get state() {
    return this.#state;
  }

  /** Connect and stay connected, until `close`, or until the gateway says that trying again is no use. */
  connect() {
    this.#connection.start();
  }

  close() {
    this.#connection.stop();
  }

  /**
   * One page of the list.
   * @param {Query} [query]
   * @returns {Promise<Page>}
   */
  items({ limit, cursor, filter, categories = [], signal } = {}) {
    const query = new URLSearchParams(categories.map((category) => ['category', category]));
    if (limit) query.set('limit', String(limit));
    if (cursor) query.set('cursor', cursor);
    if (filter) query.set('filter', filter);
    return this.#request('GET', `items${query.size ? `?${query}` : ''}`, { signal });
  }

  /**
   * Every item, newest first, fetched page by page as the loop goes on.
   * @param {Query} [query]
   * @returns {AsyncGenerator<Item, void, void>}
   */
  async *all(query = {}) {
    let cursor = query.cursor ?? null;
    do {
      const page = await this.items({ ...query, cursor });
      yield* page.items;
      cursor = page.next_cursor;
    } while (cursor !== null);
  }

  /**
   * The numbers as they are now. By category: with `categories`, of those that have any.
   * @param {{ by?: 'category' }} [options]
   * @returns {Promise<Counts>}
   */
  counts({ by } = {}) {
    return this.#counted('GET', by ? `counts?by=${by}` : 'counts');
  }

  /** @param {Item | string} item The item, or its id. */
  read(item) {
    return this.#mark(item, 'read');
  }

  /** @param {Item | string} item */
  unread(item) {
    return this.#mark(item, 'unread');
  }

  /** @param {Item | string} item */
  archive(item) {
    return this.#mark(item, 'archive');
  }

  /** @param {Item | string} item */
  unarchive(item) {
    return this.#mark(item, 'unarchive');
  }

  /**
   * Mark read what is on screen and everything older; without upTo, everything there is.
   * @param {{ upTo?: UpTo }} [options]
   */
  readAll(options) {
    return this.#markAll('read-all', options);
  }

  /** @param {{ upTo?: UpTo }} [options] */
  seenAll(options) {
    return this.#markAll('seen-all', options);
  }

  /** @param {{ upTo?: UpTo }} [options] */
  archiveAll(options) {
    return this.#markAll('archive-all', options);
  }

  /**
   * Archive everything that is read, in the background: hints tell how it goes.
   * @returns {Promise<void>}
   */
  archiveRead() {
    return this.#request('POST', 'archive-read');
  }

  /**
   * The categories that were set. One that is not among them is not muted.
   * @returns {Promise<Preference[]>}
   */
  async preferences() {
    return (await this.#request('GET', 'preferences')).preferences;
  }

  /**
   * Mute categories, or unmute them; those not named stay as they are.
   * @param {Record<string, boolean>} enabled By category: 1 to 100 of them.
   * @returns {Promise<Preference[]>} All that are set now.
   */
  async setPreferences(enabled) {
    const preferences = Object.entries(enabled).map(([category, on]) => ({
      category,
      channel: 'in_app',
      enabled: on,
    }));
    return (await this.#request('PUT', 'preferences', { body: { preferences } })).preferences;
  }

  /** @param {any} frame A Frame, of whatever shape its type has. */
  #receive(frame) {
    this.#tell('frame', frame);
    if (frame.type === 'ready') {
      this.#epoch++;
      this.#setCounts(frame);
    } else if (frame.type === 'counts') {
      this.#offerCounts(frame);
    } else if (frame.type === 'hint') {
      this.#tell('hint', { reason: frame.reason, id: frame.id ?? null });
    }
  }

  /**
   * Take the numbers unless newer ones are known: frames and replies overtake each other.
   * @param {Counts} counts
   */
  #offerCounts(counts) {
    if (this.#state.counts === null || counts.version > this.#state.counts.version) this.#setCounts(counts);
  }

  /** @param {Counts} numbers */
  #setCounts({ unread, unseen, version }) {
    const counts = Object.freeze({ unread, unseen, version });
    this.#change('counts', counts, { counts });
  }

  /**
   * @param {Item | string} item
   * @param {string} action
   * @returns {Promise<void>}
   */
  async #mark(item, action) {
    const id = typeof item === 'string' ? item : item.id;
    const source = id.startsWith('bcast_') ? 'broadcasts' : 'notifications';
    await this.#request('POST', `${source}/${encodeURIComponent(id)}/${action}`);
  }

  /**
   * @param {string} action
   * @param {{ upTo?: UpTo }} [options]
   * @returns {Promise<Counts>}
   */
  #markAll(action, { upTo } = {}) {
    return this.#counted('POST', action, upTo === undefined ? undefined : { up_to: upTo });
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body]
   */
  async #counted(method, path, body) {
    const epoch = this.#epoch;
    const counts = await this.#request(method, path, { body });
    if (epoch === this.#epoch) this.#offerCounts(counts);
    return counts;
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {{ body?: unknown, signal?: AbortSignal }} [options]
   * @returns {Promise<any>}
   */
  async #request(method, path, { body, signal } = {}) {
    const ask = async () =>
      this.#fetch(`${this.#apiUrl}/v1/inbox/${path}`, {
        method,
        headers: {
          ...(await this.#credentials.headers()),
          ...(body !== undefined && { 'Content-Type': 'application/json' }),
        },
        body: body === undefined ? undefined : JSON.stringify(body),
        signal,
        credentials: 'omit',
        keepalive: method !== 'GET', // a mark survives the click that leads to another page
      });
    let response = await ask();
    if (response.status === 401 && this.#credentials.renewable) {
      this.#credentials.forget();
      response = await ask();
    }
    if (!response.ok) throw await asError(response);
    return response.status === 204 || response.status === 202 ? undefined : response.json();
  }

  /**
   * @param {string} name
   * @param {unknown} detail
   * @param {Partial<State>} change
   */
  #change(name, detail, change) {
    this.#state = Object.freeze({ ...this.#state, ...change });
    this.#tell(name, detail);
    this.#tell('state', this.#state);
  }

  /**
   * @param {string} name
   * @param {unknown} detail
   */
  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/** @param {string} apiUrl */
function gatewayBeside(apiUrl) {
  const url = new URL(`${apiUrl}/v1/inbox/ws`, globalThis.location?.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

/** @param {Response} response */
async function asError(response) {
  const reply = await response.json().catch(() => null);
  const retryAfter = Number(response.headers.get('Retry-After') ?? NaN);
  return new BellwireError(
    response.status,
    reply?.error?.code ?? 'unknown',
    reply?.error?.message ?? `HTTP ${response.status}`,
    Number.isNaN(retryAfter) ? null : retryAfter,
  );
}
