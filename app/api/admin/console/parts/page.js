/**
 * What pages are made of.
 */

import { h } from '../core/h.js';
import { refresh, withQuery } from '../core/router.js';
import { icon } from './icons.js';

/** @typedef {import('../core/h.js').Child} Child */

/**
 * @param {string} title
 * @param {{ lead?: Child, actions?: Child[], above?: [string, string] }} [options] above: the address and the
 *   name of the list this page is one of.
 */
export function heading(title, { lead, actions = [], above } = {}) {
  return h(
    'header',
    { class: 'heading' },
    h(
      'div',
      {},
      above && h('p', { class: 'above' }, h('a', { href: above[0] }, '← ', above[1])),
      h('h1', {}, title),
      lead && h('p', { class: 'lead' }, lead),
    ),
    actions.some(Boolean) && h('div', { class: 'buttons' }, actions),
  );
}

export function refreshButton() {
  return h(
    'button',
    { type: 'button', class: 'button plain', id: 'refresh', onclick: refresh },
    icon('refresh'),
    'Refresh',
  );
}

/**
 * @param {string} title
 * @param {...Child} content
 */
export function card(title, ...content) {
  return h('section', { class: 'card' }, h('h2', {}, title), content);
}

/** Names and values. @param {[string, Child][]} pairs */
export function facts(pairs) {
  return h(
    'dl',
    { class: 'facts' },
    pairs.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
  );
}

/**
 * @param {string} text
 * @param {'good' | 'bad' | 'warn' | 'quiet'} [kind]
 */
export function pill(text, kind = 'quiet') {
  return h('span', { class: `pill ${kind}` }, text);
}

/**
 * @template T
 * @typedef {object} Column
 * @property {string} name
 * @property {(row: T) => Child} cell
 * @property {string} [kind] Class names: "number", "wide" (left out where it is narrow), "main", "end".
 */

/**
 * @template T
 * @param {Column<T>[]} columns
 * @param {T} row
 */
function cells(columns, row) {
  return columns.map(({ name, cell, kind }) =>
    h('td', { role: 'cell', class: kind, 'data-name': name }, h('div', {}, cell(row))),
  );
}

/**
 * Where it is narrow, a row is a block with its columns' names; the roles say that it still is a table.
 * @template T
 * @param {string} caption For screen readers.
 * @param {Column<T>[]} columns
 * @param {T[]} rows
 */
export function table(caption, columns, rows) {
  const head = columns.map(({ name, kind }) =>
    h(
      'th',
      { role: 'columnheader', scope: 'col', class: kind },
      kind?.includes('end') ? h('span', { class: 'hidden' }, name) : name,
    ),
  );
  return h(
    'div',
    { class: 'table', role: 'region', 'aria-label': caption, tabindex: '0' },
    h(
      'table',
      { role: 'table' },
      h('caption', { class: 'hidden' }, caption),
      h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, head)),
      h(
        'tbody',
        { role: 'rowgroup' },
        rows.map((row) => h('tr', { role: 'row' }, cells(columns, row))),
      ),
    ),
  );
}

/**
 * To the pages before and after this one of a list.
 * @param {string} address
 * @param {URLSearchParams} query What is asked for now.
 * @param {string | null} next
 * @param {[string, string]} [names]
 */
export function pager(address, query, next, [first, further] = ['Newest', 'Older']) {
  const others = Object.fromEntries([...query].filter(([name]) => name !== 'cursor'));
  if (!query.has('cursor') && next === null) return null;
  return h(
    'nav',
    { class: 'pager', 'aria-label': 'Pages' },
    query.has('cursor') && h('a', { class: 'button plain', href: withQuery(address, others) }, `« ${first}`),
    next !== null &&
      h(
        'a',
        { class: 'button plain', href: withQuery(address, { ...others, cursor: next }) },
        `${further} ›`,
      ),
  );
}

/** What the bell calls an item. @param {{ category: string, payload: any }} item */
export function titleOf({ category, payload }) {
  return typeof payload?.title === 'string' && payload.title ? payload.title : category;
}

/** @param {number} n @param {string} one @param {string} [many] */
export function count(n, one, many = `${one}s`) {
  return `${n.toLocaleString()} ${n === 1 ? one : many}`;
}
