/**
 * Who is signed in, and what that person may do.
 */

import { api, ApiError } from './api.js';

/** @typedef {{ id: string, email: string, name: string, role: string, capabilities: string[] }} Me */

/** Set while this browser has a session, as far as it knows: whoever has none need not ask whose it is. */
const SIGNED_IN = 'bellwire.signed-in';

/** @type {Me | null} */
let me = null;

/** @param {Me | null} found */
function become(found) {
  me = found;
  if (found) localStorage.setItem(SIGNED_IN, 'yes');
  else localStorage.removeItem(SIGNED_IN);
}

export const session = {
  get me() {
    return me;
  },

  /** @param {string} capability */
  can(capability) {
    return me?.capabilities.includes(capability) ?? false;
  },

  /** Asks whose the cookie is; null where it is nobody's. */
  async load() {
    if (localStorage.getItem(SIGNED_IN) === null) return null;
    try {
      become(await api('me'));
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 401)) throw error;
      become(null);
    }
    return me;
  },

  /**
   * @param {string} email
   * @param {string} password
   */
  async signIn(email, password) {
    become(await api('login', { method: 'POST', body: { email, password } }));
  },

  async signOut() {
    await api('logout', { method: 'POST' });
    become(null);
  },

  forget() {
    become(null);
  },
};
