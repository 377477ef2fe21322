/**
 * The environments, for the menu; and which of them the person works in.
 */

import { api } from './api.js';

const REMEMBERED = 'bellwire.environment';

/** @typedef {{ id: string, slug: string, name: string }} Environment */

/** @type {Environment[]} */
let known = [];

export const environments = {
  /** The first 200, as the API lists them. */
  get known() {
    return known;
  },

  async load() {
    known = (await api('environments', { query: { limit: 200 } })).items;
    return known;
  },

  clear() {
    known = [];
  },

  /** The slug last worked in, else the first there is; empty where there is none. */
  get current() {
    const slug = sessionStorage.getItem(REMEMBERED) ?? '';
    return known.length === 0 || known.some((one) => one.slug === slug) ? slug : known[0].slug;
  },

  /** @param {string} slug */
  enter(slug) {
    sessionStorage.setItem(REMEMBERED, slug);
  },
};
