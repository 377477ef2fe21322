/** How many people a broadcast reaches. */

import { api, at } from '../core/api.js';
import { count } from './page.js';

const PAGES = 5;
const LIMIT = 200;

/**
 * Counted as far as it can be cheaply: "312 people", "more than 1,000 people".
 * @param {string} env
 * @param {AbortSignal} signal
 */
export async function reach(env, signal) {
  let people = 0;
  /** @type {string | null} */
  let cursor = null;
  for (let page = 0; page < PAGES; page += 1) {
    const { items, next_cursor } = await api(at`environments/${env}/subscribers`, { query: { limit: LIMIT, cursor }, signal });
    people += items.length;
    cursor = next_cursor;
    if (cursor === null) return count(people, 'person', 'people');
  }
  return `more than ${count(people, 'person', 'people')}`;
}
