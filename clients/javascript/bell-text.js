/**
 * What a bell says, and what it makes of a payload that came from outside.
 */

import { refuses } from './bellwire.js';

/** Every text of the element; assign others to its `labels` to speak another language. */
export const LABELS = Object.freeze({
  title: 'Notifications',
  /** @param {number} n */
  unread: (n) => (n === 0 ? 'No unread notifications' : `${n} unread notification${n === 1 ? '' : 's'}`),
  unreadItem: 'Unread',
  filters: { all: 'All', unread: 'Unread', archived: 'Archived' },
  markAllRead: 'Mark all read',
  markRead: 'Mark as read',
  markUnread: 'Mark as unread',
  archive: 'Archive',
  unarchive: 'Move back to the inbox',
  more: 'Show older',
  now: 'now',
  loading: 'Loading…',
  empty: {
    all: ['Nothing here yet', 'New notifications appear by themselves.'],
    unread: ['All caught up', 'Everything has been read.'],
    archived: ['Nothing archived', 'Archive what you are done with, and find it here.'],
  },
  refused: ['This page may not see this inbox', 'Its proof was not accepted; trying again does not help.'],
  notLoaded: ['The list could not be loaded', 'It is still there; try again in a moment.'],
  failed: 'That did not work',
  tryAgain: 'Try again',
  connecting: 'Connecting…',
  offline: 'Connection lost, trying again…',
  stopped: 'Live updates have stopped',
});

/**
 * What stands in place of a list that has no items: a title, and what to do about it.
 * @param {{ filter: 'unread' | 'archived' | null, loaded: boolean, error: unknown }} feed
 * @param {typeof LABELS} labels
 */
export function inPlaceOfItems({ filter, loaded, error }, labels) {
  if (loaded) return labels.empty[filter ?? 'all'];
  if (error === null) return [labels.loading, ''];
  return refuses(error) ? labels.refused : labels.notLoaded;
}

/**
 * What is wrong, in a sentence, or empty, and whether to offer another try.
 * @param {import('./connection.js').Status} status
 * @param {unknown} error Why the last request did not work; null when it did.
 * @param {typeof LABELS} labels
 */
export function troubleOf(status, error, labels) {
  const stopped = status.name === 'stopped';
  if (refuses(error) || (stopped && REFUSED.has(status.code ?? 0)))
    return { text: `${labels.refused[0]}.`, again: false };
  if (error !== null)
    return { text: because(labels.failed, error instanceof Error ? error.message : ''), again: true };
  if (stopped) return { text: because(labels.stopped, status.reason), again: true };
  if (status.name === 'reconnecting') return { text: labels.offline, again: false };
  return { text: status.name === 'connecting' ? labels.connecting : '', again: false };
}

/** Close codes that say who may not connect: bad proof, revoked, origin. */
const REFUSED = new Set([4501, 4505, 4506]);

/**
 * @param {string} what
 * @param {string} why
 */
function because(what, why) {
  return why ? `${what}: ${why}` : `${what}.`;
}

/**
 * A text field of a payload; empty for anything but text.
 * @param {unknown} value
 */
export function asText(value) {
  return typeof value === 'string' ? value : '';
}

/**
 * An address to link to: http and https only, relative ones resolved; null for anything else, scripts and
 * data among it.
 * @param {unknown} value
 * @param {string} base
 * @returns {URL | null}
 */
export function asWebAddress(value, base) {
  if (typeof value !== 'string' || value === '') return null;
  try {
    const url = new URL(value, base);
    return url.protocol === 'https:' || url.protocol === 'http:' ? url : null;
  } catch {
    return null;
  }
}

/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

/**
 * How long ago, in a word or two; a date once it is over a week. A clock that runs behind reads "now".
 * @param {number} then
 * @param {number} now
 * @param {string | undefined} locale
 * @param {string} justNow
 */
export function ago(then, now, locale, justNow) {
  const seconds = (now - then) / 1000;
  if (seconds < 45) return justNow;
  if (seconds >= 7 * 86_400) {
    const sameYear = new Date(then).getFullYear() === new Date(now).getFullYear();
    const year = sameYear ? undefined : 'numeric';
    return new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', year }).format(then);
  }
  const [unit, length] = UNITS.find(([, least]) => seconds >= least) ?? ['minute', 60];
  const count = Math.max(1, Math.floor(seconds / length));
  return new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'short' }).format(-count, unit);
}

/**
 * A hue for a category, the same everywhere.
 * @param {string} category
 */
export function hueOf(category) {
  let hash = 0;
  for (const character of category) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 360;
  return hash;
}
