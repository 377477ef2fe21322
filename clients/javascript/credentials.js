/**
 * Who is asking, and the proof of it: as request headers, and as the websocket's first frame.
 */

/**
 * @typedef {object} Identity
 * @property {string} [environment] The environment's slug. With a token it may be left out.
 * @property {string} [subscriberId] Your own id for this person. With a token it may be left out.
 * @property {string} [subscriberHash] Made by your backend: hex(HMAC-SHA256(environment secret,
 *   subscriber id)).
 * @property {string | (() => string | Promise<string>)} [token] Instead of a hash: a subscriber token,
 *   or a function that fetches one from your backend. Only a function can replace a token that expired.
 */

export class Credentials {
  #identity;
  /** @type {Promise<string> | null} One call for all who ask at the same time. */
  #token = null;

  /** @param {Identity} identity */
  constructor(identity) {
    if (!identity.token && !(identity.environment && identity.subscriberId)) {
      throw new TypeError('give environment and subscriberId, or a token');
    }
    this.#identity = identity;
  }

  /** Whether an expired token can be replaced. */
  get renewable() {
    return typeof this.#identity.token === 'function';
  }

  /** @returns {Promise<string | null>} The token to use now; null where the proof is not a token. */
  async token() {
    const source = this.#identity.token;
    if (typeof source !== 'function') return source ?? null;
    const asked = (this.#token ??= (async () => source())());
    try {
      return await asked;
    } catch (error) {
      if (this.#token === asked) this.#token = null;
      throw error;
    }
  }

  /** The token was refused, or is about to expire: the next one who needs it asks for another. */
  forget() {
    this.#token = null;
  }

  /** @returns {Promise<Record<string, string>>} */
  async headers() {
    const token = await this.token();
    if (token !== null) return { Authorization: `Bearer ${token}` };
    const { environment = '', subscriberId = '', subscriberHash } = this.#identity;
    return {
      'X-Bellwire-Environment': environment,
      'X-Bellwire-Subscriber': encodeURIComponent(subscriberId), // headers carry no UTF-8
      ...(subscriberHash && { 'X-Bellwire-Subscriber-Hash': subscriberHash }),
    };
  }

  /** @returns {Promise<Record<string, string>>} */
  async connectFrame() {
    const token = await this.token();
    const { environment, subscriberId, subscriberHash } = this.#identity;
    return {
      type: 'connect',
      ...(environment && { environment }),
      ...(subscriberId && { subscriber_id: subscriberId }),
      ...(token !== null ? { token } : subscriberHash && { subscriber_hash: subscriberHash }),
    };
  }
}

/**
 * When a token ends, in milliseconds since 1970; null where it does not say.
 * @param {string} token
 * @returns {number | null}
 */
export function expiryOf(token) {
  try {
    const claims = JSON.parse(atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/')));
    return typeof claims.exp === 'number' ? claims.exp * 1000 : null;
  } catch {
    return null;
  }
}
