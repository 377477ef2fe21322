/** Filters above a list. What they hold stands in the address, so it can be sent on and gone back to. */

import { h } from '../core/h.js';
import { go, withQuery } from '../core/router.js';
import { fromLocalInput, toLocalInput } from '../core/time.js';
import { input, select, valuesOf } from './form.js';

/** @typedef {{ name: string, label: string, kind?: 'text' | 'time', options?: [string, string][],
 *   placeholder?: string }} Filter name: in the address and in the API. */

/**
 * @param {string} address
 * @param {URLSearchParams} query
 * @param {Filter[]} filters
 */
export function filterBar(address, query, filters) {
  const active = filters.some(({ name }) => query.get(name));
  const element = h(
    'form',
    { class: 'filters', role: 'search', 'aria-label': 'Filters' },
    filters.map((filter) =>
      h(
        'div',
        { class: 'field' },
        h('label', { for: `filter-${filter.name}` }, filter.label),
        control(filter, query.get(filter.name) ?? ''),
      ),
    ),
    h(
      'div',
      { class: 'buttons' },
      h('button', { class: 'button', id: 'filter-apply' }, 'Filter'),
      active && h('a', { class: 'button plain', href: address }, 'Clear'),
    ),
  );
  const apply = () => {
    const values = /** @type {Record<string, string>} */ (valuesOf(element));
    for (const { name, kind } of filters) if (kind === 'time') values[name] = fromLocalInput(values[name]);
    go(withQuery(address, values));
  };
  element.addEventListener('submit', (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    apply();
  });
  for (const chosen of element.querySelectorAll('select')) chosen.addEventListener('change', apply);
  return element;
}

/**
 * @param {Filter} filter
 * @param {string} value
 */
function control({ name, kind, options, placeholder }, value) {
  const id = `filter-${name}`;
  if (options) return select({ id, name }, options, value);
  if (kind === 'time') return input({ id, name, type: 'datetime-local', value: toLocalInput(value) });
  return input({ id, name, value, placeholder });
}

/**
 * What of the address the API is asked with.
 * @param {URLSearchParams} query
 * @param {Filter[]} filters
 */
export function asked(query, filters) {
  const names = [...filters.map(({ name }) => name), 'cursor'];
  return Object.fromEntries(names.map((name) => [name, query.get(name)]));
}
