/**
 * Who is signed in, and what that person may do.
 */

import { api, ApiError } from './api.js';

/** @typedef {{ id: string, email: string, name: string, role: string, capabilities: string[] }} Me */

export const ROLES = Object.freeze({
  viewer: 'Sees everything but keys, secrets, users and audit',
  operator: 'Also replays dead letters and sends broadcasts',
  developer: 'Sees everything a viewer sees; manages API keys and reads secrets',
  admin: 'Everything, users included',
});

/** @type {Me | null} */
let me = null;

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
    try {
      me = await api('me');
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 401)) throw error;
      me = null;
    }
    return me;
  },

  /**
   * @param {string} email
   * @param {string} password
   */
  async signIn(email, password) {
    me = await api('login', { method: 'POST', body: { email, password } });
  },

  async signOut() {
    await api('logout', { method: 'POST' });
    me = null;
  },

  forget() {
    me = null;
  },
};
