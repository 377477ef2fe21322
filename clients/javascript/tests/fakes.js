/**
 * A gateway and an API made of nothing, so that a test decides what comes and when. Time is the test
 * runner's mock; `settle` lets promises go on without it.
 */

import { mock } from 'node:test';

import { BellwireInbox } from '../bellwire.js';

export function freezeTime() {
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
}

/** Random numbers are all the same one. @param {number} value */
export function fixRandom(value) {
  mock.method(Math, 'random', () => value);
}

export function thaw() {
  mock.timers.reset();
  mock.restoreAll();
}

export async function settle() {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

/** @param {number} ms */
export async function pass(ms) {
  mock.timers.tick(ms);
  await settle();
}

/** The sockets a client opened, newest last. */
export class Gateway {
  /** @type {FakeSocket[]} */
  sockets = [];

  constructor() {
    const { sockets } = this;
    this.WebSocket = class extends FakeSocket {
      /** @param {string} url */
      constructor(url) {
        super(url);
        sockets.push(this);
      }
    };
  }

  get socket() {
    return this.sockets[this.sockets.length - 1];
  }
}

export class FakeSocket {
  /** @type {any[]} Frames the client sent. */
  sent = [];
  closed = false;
  /** @type {() => void} */
  onopen = () => {};
  /** @type {(event: { data: unknown }) => void} */
  onmessage = () => {};
  /** @type {(event: { code: number, reason: string }) => void} */
  onclose = () => {};

  /** @param {string} url */
  constructor(url) {
    this.url = url;
  }

  /** @param {string} data */
  send(data) {
    this.sent.push(JSON.parse(data));
  }

  close() {
    this.closed = true;
  }

  /** @param {object} [more] */
  ready(more) {
    this.onopen();
    this.frame({
      type: 'ready',
      connection_id: 'c',
      unread: 0,
      unseen: 0,
      version: 1,
      ping_interval_s: 25,
      ...more,
    });
  }

  /** @param {object} frame */
  frame(frame) {
    this.onmessage({ data: JSON.stringify(frame) });
  }

  /** @param {number} code */
  end(code, reason = '') {
    this.onclose({ code, reason });
  }
}

/** Replies in the order given, and the requests they answered. */
export class Api {
  /** @type {{ method: string, path: string, headers: Record<string, string>, body: any }[]} */
  requests = [];
  /** @type {(Response | Promise<Response>)[]} */
  replies = [];

  /** @type {any} */
  fetch = async (/** @type {string} */ path, /** @type {any} */ { method, headers, body }) => {
    this.requests.push({ method, path, headers, body: body && JSON.parse(body) });
    return this.replies.shift() ?? new Response(null, { status: 204 });
  };

  /** @param {unknown} body */
  answer(body, status = 200, headers = {}) {
    this.replies.push(Response.json(body, { status, headers }));
  }

  get last() {
    return this.requests[this.requests.length - 1];
  }
}

/** @param {Partial<import('../bellwire.js').Options>} [options] */
export function open(options) {
  const gateway = new Gateway();
  const api = new Api();
  const inbox = new BellwireInbox({
    ...(options?.token ? {} : { environment: 'demo', subscriberId: 'ada' }),
    apiUrl: 'https://api.test',
    WebSocket: /** @type {any} */ (gateway.WebSocket),
    fetch: api.fetch,
    ...options,
  });
  return { gateway, api, inbox };
}

/**
 * Everything an inbox tells under one name.
 * @param {EventTarget} inbox
 * @param {string} name
 */
export function heard(inbox, name) {
  /** @type {any[]} */
  const details = [];
  inbox.addEventListener(name, (event) => details.push(/** @type {CustomEvent} */ (event).detail));
  return details;
}
