/**
 * The menu beside every page.
 */

import { environments } from './environments.js';
import { h } from './h.js';
import { go, to } from './router.js';
import { session } from './session.js';
import { icon } from '../parts/icons.js';
import { announce } from '../parts/feedback.js';

const side = /** @type {HTMLElement} */ (document.getElementById('side'));
/** Whoever has none of these finds nothing behind "Keys and settings" that the list of environments lacks. */
const KEYS_AND_SETTINGS = ['apikey:read', 'env:read_secret', 'hmac:rotate', 'env:manage'];
const NARROW = matchMedia('(max-width: 860px)');

export function hideMenu() {
  side.hidden = true;
  side.replaceChildren();
}

/** @param {string} page The module on screen. */
export function showMenu(page) {
  const focused = side.contains(document.activeElement) ? document.activeElement?.id : '';
  const button = h('button', {
    type: 'button',
    class: 'menu-button',
    'aria-expanded': 'false',
    'aria-controls': 'menu',
  });
  button.append(icon('menu'), h('span', { class: 'hidden' }, 'Menu'));
  button.addEventListener('click', () => toggle(button, side.dataset.open !== 'true'));
  side.hidden = false;
  side.dataset.open = 'false';
  side.replaceChildren(
    h(
      'header',
      { class: 'brand' },
      h('a', { href: to``, class: 'brand-link' }, icon('bell'), 'Bellwire'),
      button,
    ),
    h('nav', { id: 'menu', 'aria-label': 'Console' }, sections(page)),
  );
  if (focused) document.getElementById(focused)?.focus();
}

/**
 * On a narrow screen the menu is folded away.
 * @param {HTMLElement} button
 * @param {boolean} open
 */
function toggle(button, open) {
  side.dataset.open = String(open);
  button.setAttribute('aria-expanded', String(open));
}

side.addEventListener('keydown', (event) => {
  const switcher = side.querySelector('details[open]');
  if (event.key !== 'Escape') return;
  if (switcher) {
    switcher.removeAttribute('open');
    switcher.querySelector('summary')?.focus();
  } else if (NARROW.matches) {
    const button = /** @type {HTMLElement} */ (side.querySelector('.menu-button'));
    toggle(button, false);
    button.focus();
  }
});
document.addEventListener('click', (event) => {
  const switcher = side.querySelector('details[open]');
  if (switcher && !switcher.contains(/** @type {Node} */ (event.target))) switcher.removeAttribute('open');
});

/** @param {string} page */
function sections(page) {
  const slug = environments.current;
  /** @param {string} href @param {string} text @param {string} drawing @param {...string} pages */
  const item = (href, text, drawing, ...pages) =>
    h(
      'li',
      {},
      h(
        'a',
        { href, id: `menu-${pages[0]}`, 'aria-current': pages.includes(page) && 'page' },
        icon(drawing),
        text,
      ),
    );
  return [
    h(
      'ul',
      {},
      item(to``, 'Overview', 'chart', 'overview'),
      item(to`dead-letters`, 'Dead letters', 'inbox', 'dead-letters'),
    ),
    slug && [
      switcher(slug),
      h(
        'ul',
        {},
        item(
          to`environments/${slug}/notifications`,
          'Notifications',
          'bell',
          'notifications',
          'notification',
        ),
        item(
          to`environments/${slug}/broadcasts`,
          'Broadcasts',
          'broadcast',
          'broadcasts',
          'broadcast',
          'composer',
        ),
        item(to`environments/${slug}/subscribers`, 'Subscribers', 'person', 'subscribers', 'subscriber'),
        KEYS_AND_SETTINGS.some(session.can) &&
          item(to`environments/${slug}`, 'Keys and settings', 'key', 'environment'),
      ),
    ],
    h('h2', {}, 'Instance'),
    h(
      'ul',
      {},
      item(to`environments`, 'Environments', 'layers', 'environments'),
      session.can('user:manage') && item(to`users`, 'Users', 'people', 'users'),
      session.can('user:manage') && item(to`audit`, 'Audit', 'list', 'audit'),
    ),
    account(page),
  ];
}

/** @param {string} slug Of the environment worked in. */
function switcher(slug) {
  const current = environments.known.find((one) => one.slug === slug);
  return h(
    'details',
    { class: 'switcher' },
    h(
      'summary',
      {},
      h('span', { class: 'hidden' }, 'Environment: '),
      h('b', {}, current?.name ?? slug),
      icon('updown'),
    ),
    h(
      'ul',
      {},
      environments.known.map((one) =>
        h(
          'li',
          {},
          h(
            'a',
            { href: to`environments/${one.slug}/notifications`, 'aria-current': one.slug === slug && 'true' },
            one.name,
            h('small', {}, one.slug),
          ),
        ),
      ),
      h('li', {}, h('a', { href: to`environments`, class: 'all' }, 'All environments')),
    ),
  );
}

/** @param {string} page */
function account(page) {
  const me = /** @type {import('./session.js').Me} */ (session.me);
  return h(
    'div',
    { class: 'account' },
    h(
      'a',
      { href: to`account`, class: 'me', title: me.email, 'aria-current': page === 'account' && 'page' },
      h('b', {}, me.name),
      h('small', {}, me.role),
    ),
    h(
      'button',
      { type: 'button', class: 'icon-button', title: 'Sign out', 'aria-label': 'Sign out', onclick: leave },
      icon('leave'),
    ),
  );
}

async function leave() {
  try {
    await session.signOut();
    environments.clear();
    go(to`login`);
  } catch (error) {
    announce(error instanceof Error ? error.message : String(error), 'bad');
  }
}
