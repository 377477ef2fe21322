/**
 * The console: asks who is there, then shows the page each address names.
 */

import { ApiError, whenSignedOut } from './api.js';
import { environments } from './environments.js';
import { h } from './h.js';
import { go, inConsole, match, scrollOfEntry, start, to, withQuery } from './router.js';
import { session } from './session.js';
import { hideMenu, showMenu } from './shell.js';
import { announce, failure, notForRole } from '../parts/feedback.js';

const main = /** @type {HTMLElement} */ (document.getElementById('main'));
const progress = /** @type {HTMLElement} */ (document.getElementById('progress'));
const PATIENCE_MS = 150; // shorter waits show nothing, so nothing flickers

/** Ends whatever the page on screen keeps going. */
let visit = new AbortController();
let shownPath = '';

/** @param {URL} url */
async function show(url) {
  visit.abort();
  const current = new AbortController();
  visit = current;
  const timer = setTimeout(() => (progress.hidden = current.signal.aborted), PATIENCE_MS);
  current.signal.addEventListener('abort', () => clearTimeout(timer));
  const { name, params, needs } = match(url);
  let view;
  try {
    if (session.me === null && (await session.load()) === null && name !== 'login') return signInFirst();
    if (current.signal.aborted) return;
    if (session.me !== null && name === 'login') return go(target(url), { replace: true });
    if (session.me !== null && environments.known.length === 0) await environments.load();
    if (params.env) environments.enter(params.env);
    if (needs && !session.can(needs)) await session.load(); // it may have been given since
    if (needs && session.me && !session.can(needs)) view = notForRole(session.me.role, needs);
    else {
      const page = await import(`../pages/${name}.js`);
      view = await page.default({ params, query: url.searchParams, signal: current.signal });
    }
  } catch (error) {
    if (current.signal.aborted) return;
    if (error instanceof ApiError && error.code === 'forbidden') await session.load(); // the role has changed
    view = failure(error, () => show(url));
  }
  if (current.signal.aborted) return;
  clearTimeout(timer);
  progress.hidden = true;
  present(view, url, name);
}

/**
 * @param {import('./router.js').View} view
 * @param {URL} url
 * @param {string} name
 */
function present(view, url, name) {
  const again = url.pathname === shownPath;
  shownPath = url.pathname;
  const focused = again ? document.activeElement?.id : '';
  document.title = `${view.title} · Bellwire`;
  if (view.bare || session.me === null) hideMenu();
  else showMenu(name);
  main.replaceChildren(h('div', { class: `page ${name}` }, view.content));
  if (again && focused) document.getElementById(focused)?.focus({ preventScroll: true });
  else if (again) main.focus({ preventScroll: true });
  else {
    const first = main.querySelector('[autofocus]') ?? main.querySelector('h1') ?? main;
    if (first instanceof HTMLElement) {
      if (!first.matches('input, main')) first.tabIndex = -1;
      first.focus({ preventScroll: true });
    }
    scrollTo(0, scrollOfEntry());
  }
}

/** Where the person wanted to go before having to sign in. @param {URL} url */
function target(url) {
  const next = new URL(url.searchParams.get('next') || '/admin', location.origin);
  return next.origin === location.origin && inConsole(next) ? next.pathname + next.search : '/admin';
}

function signInFirst() {
  const { pathname, search } = location;
  const next = pathname === '/admin' ? '' : pathname + search;
  go(withQuery(to`login`, { next }), { replace: true });
}

whenSignedOut(() => {
  if (session.me === null) return;
  session.forget();
  environments.clear();
  for (const dialog of document.querySelectorAll('dialog')) dialog.close();
  announce('Your session has ended. Sign in again.', 'bad');
  signInFirst();
});
start(show);
