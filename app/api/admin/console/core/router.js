/**
 * Addresses and pages: real links, the History API, and a page module for each address.
 */

/**
 * @typedef {object} Visit What a page is told.
 * @property {Record<string, string>} params
 * @property {URLSearchParams} query
 * @property {AbortSignal} signal Aborted when the person goes elsewhere: whatever the page keeps going ends.
 */
/**
 * @typedef {object} View What a page answers with.
 * @property {string} title
 * @property {import('./h.js').Child[]} content
 * @property {boolean} [bare] Without the menu.
 */
/** @typedef {(visit: Visit) => Promise<View> | View} Page */

const BASE = '/admin';
/**
 * By the part of the address below /admin; `:name` is any one segment. The first that fits. Then the page's
 * module and, where not every role may see it, the capability it takes.
 * @type {[string, string, string?][]}
 */
const ROUTES = [
  ['', 'overview'],
  ['login', 'login'],
  ['environments', 'environments'],
  ['environments/:env', 'environment'],
  ['environments/:env/notifications', 'notifications'],
  ['environments/:env/notifications/:id', 'notification'],
  ['environments/:env/broadcasts', 'broadcasts'],
  ['environments/:env/broadcasts/new', 'composer', 'broadcast:compose'],
  ['environments/:env/broadcasts/:id', 'broadcast'],
  ['environments/:env/subscribers', 'subscribers'],
  ['environments/:env/subscribers/:id', 'subscriber'],
  ['dead-letters', 'dead-letters'],
  ['users', 'users', 'user:manage'],
  ['audit', 'audit', 'user:manage'],
  ['account', 'account'],
];

/** @type {(url: URL) => void} */
let onVisit = () => {};

/**
 * @param {URL} url
 * @returns {{ name: string, params: Record<string, string>, needs?: string }} name: of the page's module.
 */
export function match(url) {
  const wanted = url.pathname.slice(BASE.length).split('/').filter(Boolean);
  for (const [pattern, name, needs] of ROUTES) {
    const params = fit(pattern.split('/').filter(Boolean), wanted);
    if (params) return { name, params, needs };
  }
  return { name: 'not-found', params: {} };
}

/**
 * @param {string[]} pattern
 * @param {string[]} wanted
 */
function fit(pattern, wanted) {
  if (pattern.length !== wanted.length) return null;
  /** @type {Record<string, string>} */
  const params = {};
  for (const [index, part] of pattern.entries()) {
    if (part.startsWith(':')) {
      try {
        params[part.slice(1)] = decodeURIComponent(wanted[index]);
      } catch {
        return null;
      }
    } else if (part !== wanted[index]) return null;
  }
  return params;
}

/**
 * An address in the console: to`environments/${slug}`.
 * @param {TemplateStringsArray} parts
 * @param {...string} values
 */
export function to(parts, ...values) {
  const path = String.raw({ raw: parts }, ...values.map(encodeURIComponent));
  return path ? `${BASE}/${path}` : BASE;
}

/**
 * @param {string} address
 * @param {Record<string, string | null | undefined>} query Empty values are left out.
 */
export function withQuery(address, query) {
  const given = Object.entries(query).filter(([, value]) => value);
  const search = new URLSearchParams(/** @type {[string, string][]} */ (given)).toString();
  return search ? `${address}?${search}` : address;
}

/**
 * @param {string} address
 * @param {{ replace?: boolean }} [options]
 */
export function go(address, { replace = false } = {}) {
  const url = new URL(address, location.href);
  rememberScroll();
  if (replace || url.href === location.href) history.replaceState(null, '', url);
  else history.pushState(null, '', url);
  onVisit(url);
}

/** The same page again, with what the server says now. */
export function refresh() {
  onVisit(new URL(location.href));
}

/** Where to scroll to on an entry that was left. */
export function scrollOfEntry() {
  return history.state?.scroll ?? 0;
}

function rememberScroll() {
  history.replaceState({ scroll: scrollY }, '');
}

/** @param {(url: URL) => void} visit Called for each address the person goes to, the first one included. */
export function start(visit) {
  onVisit = visit;
  history.scrollRestoration = 'manual';
  addEventListener('popstate', () => visit(new URL(location.href)));
  addEventListener('scrollend', rememberScroll);
  document.addEventListener('click', followLink);
  visit(new URL(location.href));
}

/** @param {MouseEvent} event */
function followLink(event) {
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = /** @type {Element} */ (event.target).closest('a');
  if (link === null || link.target || !link.href || link.getAttribute('href')?.startsWith('#')) return;
  const url = new URL(link.href);
  if (url.origin !== location.origin || !inConsole(url)) return;
  event.preventDefault();
  go(url.href);
}

/** @param {URL} url */
export function inConsole(url) {
  return url.pathname === BASE || url.pathname.startsWith(`${BASE}/`);
}
