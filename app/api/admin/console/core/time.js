/**
 * Times: shown in the person's zone, with the exact UTC one in the title.
 */

import { h } from './h.js';

/** @type {Intl.DateTimeFormatOptions} */
const TO_THE_SECOND = {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
};
const DATE = new Intl.DateTimeFormat(undefined, TO_THE_SECOND);
const PRECISE = new Intl.DateTimeFormat(undefined, { ...TO_THE_SECOND, fractionalSecondDigits: 3 });
const APPOINTMENT = new Intl.DateTimeFormat(undefined, {
  ...TO_THE_SECOND,
  weekday: 'long',
  month: 'long',
  second: undefined,
});
/** @type {[string, number][]} In milliseconds. */
const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
  ['millisecond', 1],
];
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });

/**
 * @param {string | null} iso
 * @param {string} [otherwise] What to say where there is none.
 */
export function time(iso, otherwise = '–') {
  if (iso === null || iso === undefined) return h('span', { class: 'quiet' }, otherwise);
  return written(iso, DATE);
}

/** To the millisecond. @param {string} iso */
export function preciseTime(iso) {
  return written(iso, PRECISE);
}

/** With the day of the week, and the zone; to the minute. @param {string} iso */
export function appointment(iso) {
  return [written(iso, APPOINTMENT), ` (${ZONE})`];
}

/**
 * @param {string} iso
 * @param {Intl.DateTimeFormat} format
 */
function written(iso, format) {
  const title = `${iso.replace('T', ' ').replace('Z', '')} UTC`;
  return h('time', { datetime: iso, title }, format.format(Date.parse(iso)));
}

/** "in 1 day 3 hours". @param {string} iso A moment to come. */
export function inHowLong(iso) {
  const minutes = Math.round((Date.parse(iso) - Date.now()) / 60_000);
  return minutes < 1 ? 'in less than a minute' : `in ${duration(minutes * 60_000, 'long')}`;
}

/**
 * The largest unit and what is left in the next: "2 min 3 sec". Seconds and less: "3.4 sec", "12 ms".
 * @param {number} milliseconds
 * @param {'long' | 'short'} unitDisplay
 */
export function duration(milliseconds, unitDisplay = 'short') {
  /** @param {number} value @param {string} unit */
  const told = (value, unit) =>
    value.toLocaleString('en', { style: 'unit', unit, unitDisplay, maximumFractionDigits: 1 });
  const [index, [unit, size]] = [...UNITS.entries()].find(([, [, size]]) => milliseconds >= size) ?? [
    -1,
    ['millisecond', 1],
  ];
  if (size <= 1000) return told(milliseconds / size, unit);
  const [smaller, part] = UNITS[index + 1];
  const rest = Math.floor((milliseconds % size) / part);
  return [told(Math.floor(milliseconds / size), unit), rest > 0 && told(rest, smaller)]
    .filter(Boolean)
    .join(' ');
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
