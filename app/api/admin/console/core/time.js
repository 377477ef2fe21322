/**
 * Times: shown in the person's zone, with the exact UTC one in the title.
 */

import { h } from './h.js';

const DATE = new Intl.DateTimeFormat(undefined, {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });

/**
 * @param {string | null} iso
 * @param {string} [otherwise] What to say where there is none.
 */
export function time(iso, otherwise = '–') {
  if (iso === null || iso === undefined) return h('span', { class: 'quiet' }, otherwise);
  return h('time', { datetime: iso, title: `${iso.replace('T', ' ').replace('Z', '')} UTC` }, localTime(iso));
}

/** @param {string} iso */
export function localTime(iso) {
  return DATE.format(Date.parse(iso));
}

/** Hours and minutes. @param {string} iso */
export function clock(iso) {
  return CLOCK.format(Date.parse(iso));
}

/** For <input type="datetime-local">, which knows no zones: to the minute. @param {string | null} iso */
export function toLocalInput(iso) {
  const instant = new Date(iso ?? '');
  if (Number.isNaN(instant.getTime())) return '';
  return new Date(instant.getTime() - instant.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** And back: RFC 3339 in UTC, empty for nothing. @param {string} value */
export function fromLocalInput(value) {
  const instant = new Date(value);
  return value && !Number.isNaN(instant.getTime()) ? instant.toISOString() : '';
}

/** The name of the zone all times are shown in. */
export const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;
