/**
 * The life of one subscriber's websocket: connect, stay, notice that the link died, come back, or stop.
 *
 * A close code decides which: 4500 to 4999 and a protocol error stop, everything else comes back. The
 * delay before coming back is the server's where it gave one, otherwise random, so that a restarted
 * gateway does not meet all its clients in the same moment.
 */

import { expiryOf } from './credentials.js';

/**
 * @typedef {object} Frame A frame from the gateway. `type` tells which; unknown ones are passed on.
 * @property {string} type
 */

/**
 * @typedef {object} Status
 * @property {'idle' | 'connecting' | 'live' | 'reconnecting' | 'stopped'} name
 * @property {number | null} code The close code that led here, where there was one.
 * @property {string} reason In words; empty where there is nothing to say.
 * @property {number | null} retryAt While reconnecting: the time of the next try, as Date.now() counts.
 */

const CONNECT_MS = 20_000; // from opening to ready; the server itself waits 10 s for the first frame
const SILENCE_GRACE_MS = 10_000; // a ping this late means that the link is dead
const STEADY_MS = 10_000; // a link that lived this long starts the backoff anew; a flapping one does not
const LONGEST_GOODBYE_MS = 60_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1; // beyond it setTimeout fires at once

const ENDS = new Set([1000, 1002, 1003, 1007, 1009]);
const TOKEN_EXPIRED = 4002;
const LEAST_DELAY_MS = new Map([
  [4008, 5_000], // too many frames
  [4009, 60_000], // too many connections of this subscriber
]);

/** @type {Status} */
export const IDLE = Object.freeze({ name: 'idle', code: null, reason: '', retryAt: null });

/**
 * Whether a socket closed with this code must not be opened again.
 * @param {number} code
 */
export function ends(code) {
  return ENDS.has(code) || (code >= 4500 && code <= 4999);
}

/**
 * How long to wait, in milliseconds, after a close with this code.
 * @param {number | null} code
 * @param {number} failures How many tries in a row ended, this one included.
 * @param {number | null} goodbyeMs What the server asked for.
 */
export function retryDelay(code, failures, goodbyeMs) {
  const least = LEAST_DELAY_MS.get(code ?? 0) ?? 0;
  if (goodbyeMs !== null) return Math.max(least, goodbyeMs);
  return least + Math.random() * Math.min(30_000, 1_000 * 2 ** failures);
}

export class Connection {
  /** @type {Status} */
  status = IDLE;

  #url;
  #credentials;
  #WebSocket;
  #onStatus;
  #onFrame;
  /** @type {WebSocket | null} The socket that is listened to; what any other still says is ignored. */
  #socket = null;
  /** Moves with every try and every end, so that a token that comes too late opens nothing. */
  #attempt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} The watchdog with a socket, the next try without. */
  #timer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #renewal;
  #silenceMs = CONNECT_MS;
  #failures = 0;
  /** @type {number | null} */
  #liveSince = null;
  /** Whether a socket has opened once, or it was said that none does. */
  #knownToOpen = false;
  /** @type {number | null} */
  #goodbyeMs = null;

  /**
   * @param {object} wiring
   * @param {string} wiring.url
   * @param {import('./credentials.js').Credentials} wiring.credentials
   * @param {typeof WebSocket} wiring.WebSocket
   * @param {(status: Status) => void} wiring.onStatus
   * @param {(frame: Frame) => void} wiring.onFrame `ready` is told before the status turns live.
   */
  constructor({ url, credentials, WebSocket, onStatus, onFrame }) {
    this.#url = url;
    this.#credentials = credentials;
    this.#WebSocket = WebSocket;
    this.#onStatus = onStatus;
    this.#onFrame = onFrame;
  }

  /** Nothing happens where it runs already. */
  start() {
    if (this.status.name !== 'idle' && this.status.name !== 'stopped') return;
    this.#failures = 0;
    void this.#open();
  }

  stop() {
    this.#leave();
    this.#set('stopped', { reason: 'closed here' });
  }

  async #open() {
    const attempt = ++this.#attempt;
    this.#goodbyeMs = null;
    this.#liveSince = null;
    this.#set('connecting');
    let connect;
    try {
      connect = JSON.stringify(await this.#credentials.connectFrame());
    } catch (error) {
      if (attempt === this.#attempt) this.#comeBack(null, `no token: ${error}`);
      return;
    }
    if (attempt !== this.#attempt) return;
    let socket;
    try {
      socket = new this.#WebSocket(this.#url);
    } catch (error) {
      this.#end(null, String(error)); // no websocket URL, or ws: from an https: page
      return;
    }
    this.#socket = socket;
    this.#silenceMs = CONNECT_MS;
    this.#watch();
    socket.onopen = () => {
      this.#knownToOpen = true;
      socket.send(connect);
    };
    socket.onmessage = ({ data }) => {
      if (socket === this.#socket) this.#receive(data);
    };
    socket.onerror = () => {}; // a close follows, and says more
    socket.onclose = ({ code, reason }) => {
      if (socket === this.#socket) this.#closed(code, reason);
    };
  }

  /** @param {unknown} data */
  #receive(data) {
    this.#watch();
    const frame = parse(data);
    if (frame === null) return;
    if (frame.type === 'ready') this.#silenceMs = (frame.ping_interval_s ?? 25) * 1000 + SILENCE_GRACE_MS;
    if (frame.type === 'goodbye') this.#goodbyeMs = asDelay(frame.reconnect_after_ms);
    if (frame.type === 'refreshed') this.#renewBefore(Date.parse(frame.expires_at));
    const socket = this.#socket;
    this.#onFrame(frame);
    if (frame.type !== 'ready' || socket !== this.#socket) return; // the second: a listener closed it
    this.#watch();
    this.#liveSince = Date.now();
    void this.#renewBeforeExpiry();
    this.#set('live');
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #closed(code, reason) {
    if (ends(code)) {
      this.#end(code, reason);
    } else if (code === TOKEN_EXPIRED && !this.#credentials.renewable) {
      this.#end(code, reason || 'token expired');
    } else {
      if (code === TOKEN_EXPIRED) this.#credentials.forget();
      this.#comeBack(code, reason);
    }
  }

  /**
   * @param {number | null} code
   * @param {string} reason
   */
  #end(code, reason) {
    this.#leave();
    this.#set('stopped', { code, reason });
  }

  /**
   * @param {number | null} code
   * @param {string} reason
   */
  #comeBack(code, reason) {
    if (this.#socket !== null && !this.#knownToOpen) this.#warn();
    const steady = this.#liveSince !== null && Date.now() - this.#liveSince >= STEADY_MS;
    this.#failures = steady ? 1 : this.#failures + 1;
    const delay = retryDelay(code, this.#failures, this.#goodbyeMs);
    this.#leave();
    this.#timer = setTimeout(() => void this.#open(), delay);
    this.#set('reconnecting', { code, reason, retryAt: Date.now() + delay });
  }

  /** Once: a wrong address would otherwise only show as a bell that never rings. */
  #warn() {
    this.#knownToOpen = true;
    console.warn(
      `Bellwire: no websocket opens at ${this.#url}. Is that the gateway? It listens on a port of its own ` +
        'unless a proxy puts it beside the API: give its address as gatewayUrl (gateway-url). Trying on.',
    );
  }

  #leave() {
    this.#attempt++;
    clearTimeout(this.#timer);
    clearTimeout(this.#renewal);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  /** Every frame proves the link; without one for too long it is dead, whatever the socket believes. */
  #watch() {
    clearTimeout(this.#timer);
    const silenceMs = this.#silenceMs;
    this.#timer = setTimeout(() => this.#comeBack(null, `silent for ${silenceMs / 1000} s`), silenceMs);
  }

  async #renewBeforeExpiry() {
    const socket = this.#socket;
    const token = await this.#credentials.token().catch(() => null);
    if (token !== null && socket === this.#socket) this.#renewBefore(expiryOf(token) ?? NaN);
  }

  /** @param {number} expiresAt Not a number where it is not known; the socket then ends with 4002. */
  #renewBefore(expiresAt) {
    clearTimeout(this.#renewal);
    if (!this.#credentials.renewable || Number.isNaN(expiresAt)) return;
    const delay = Math.max(10_000, (expiresAt - Date.now()) * 0.8); // the floor: a wrong clock must not spin
    this.#renewal = setTimeout(() => void this.#renew(), Math.min(delay, LONGEST_TIMER_MS));
  }

  async #renew() {
    const socket = this.#socket;
    this.#credentials.forget();
    const token = await this.#credentials.token().catch(() => null);
    if (token === null || socket !== this.#socket) return; // no token: 4002 comes, and another try with it
    socket?.send(JSON.stringify({ type: 'refresh', token }));
  }

  /**
   * @param {Status['name']} name
   * @param {Partial<Status>} [more]
   */
  #set(name, more) {
    this.status = Object.freeze({ ...IDLE, name, ...more });
    this.#onStatus(this.status);
  }
}

/**
 * @param {unknown} data
 * @returns {(Frame & Record<string, any>) | null} Null for what is no frame.
 */
function parse(data) {
  if (typeof data !== 'string') return null;
  try {
    const frame = JSON.parse(data);
    return typeof frame?.type === 'string' ? frame : null;
  } catch {
    return null;
  }
}

/** @param {unknown} ms */
function asDelay(ms) {
  return typeof ms === 'number' && ms >= 0 ? Math.min(ms, LONGEST_GOODBYE_MS) : null;
}
