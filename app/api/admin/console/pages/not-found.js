/** An address that is no page. */

import { h } from '../core/h.js';

/** @type {import('../core/router.js').Page} */
export default function notFound() {
  return {
    title: 'Page not found',
    content: [
      h(
        'div',
        { class: 'blank' },
        h('h1', {}, 'Page not found'),
        h('p', {}, 'The console has no page at ', h('code', {}, decoded(location.pathname)), '.'),
        h('p', {}, h('a', { class: 'button plain', href: '/admin' }, 'Go to the overview')),
      ),
    ],
  };
}

/** @param {string} path */
function decoded(path) {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
