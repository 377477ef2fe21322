/** How the system is, right now. */

import { api } from '../core/api.js';
import { h } from '../core/h.js';
import { to } from '../core/router.js';
import { session } from '../core/session.js';
import { clock, time } from '../core/time.js';
import { chart } from '../parts/chart.js';
import { trouble } from '../parts/feedback.js';
import { card, heading } from '../parts/page.js';

/**
 * @typedef {object} Overview
 * @property {string} as_of
 * @property {number | null} connections
 * @property {number | null} queue_due
 * @property {number | null} queue_depth
 * @property {number | null} dead_letters
 * @property {number | null} environments
 * @property {{ minute: string, count: number }[] | null} notifications_per_minute
 * @property {{ p50: number | null, p99: number | null } | null} hint_latency_ms
 */
/** @typedef {{ title: string, note: string, kind: 'line' | 'bars', value: (now: Overview) => number | null,
 *   format?: (value: number) => string, link?: string, bad?: boolean }} Gauge */

const EVERY_MS = 2000;
const LEAST = 30; // slots of a line: the last minute at first, the last three later
const MOST = 90;
const SECONDS = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });

/** What was seen since the console was opened: a page that is left goes on where it was. @type {Overview[]} */
const seen = [];

/** @param {number} value */
const ms = (value) => `${value.toLocaleString(undefined, { maximumFractionDigits: value < 10 ? 1 : 0 })} ms`;

/** @type {Gauge[]} */
const GAUGES = [
  {
    title: 'Connections',
    note: 'sockets and streams open now',
    kind: 'line',
    value: (now) => now.connections,
  },
  {
    title: 'Notifications per minute',
    note: 'created in the last full minute',
    kind: 'bars',
    value: (now) => now.notifications_per_minute?.at(-2)?.count ?? null,
  },
  {
    title: 'Hint latency',
    note: '99th percentile, commit to frame',
    kind: 'line',
    value: (now) => now.hint_latency_ms?.p99 ?? null,
    format: ms,
  },
  {
    title: 'Queue depth',
    note: 'jobs waiting, later ones included',
    kind: 'line',
    value: (now) => now.queue_depth,
  },
  {
    title: 'Dead letters',
    note: 'jobs that failed ten times',
    kind: 'line',
    value: (now) => now.dead_letters,
    link: to`dead-letters`,
    bad: true,
  },
];

/** @type {import('../core/router.js').Page} */
export default async function overview({ signal }) {
  await ask(signal);
  const figures = h('div', { class: 'gauges' });
  const asOf = h('p', { class: 'lead' });
  const problem = h('div', { class: 'problem' });
  /** @param {unknown} [error] */
  const draw = (error) => {
    const now = seen[seen.length - 1];
    problem.replaceChildren(...(error ? [trouble(error)] : []));
    asOf.replaceChildren('As of ', time(now.as_of), error ? '; trying again' : '; updated every 2 seconds');
    figures.replaceChildren(...GAUGES.map((gauge) => figure(gauge, now)));
  };
  draw();
  follow(signal, draw);
  return { title: 'Overview', content: [head(asOf), problem, figures, beginning(seen[seen.length - 1])] };
}

/** @param {HTMLElement} asOf */
function head(asOf) {
  const header = heading('Overview');
  header.firstElementChild?.append(asOf);
  return header;
}

/** @param {AbortSignal} signal */
async function ask(signal) {
  seen.push(await api('overview', { signal }));
  if (seen.length > MOST) seen.shift();
}

/**
 * As long as the page is on screen, and looked at.
 * @param {AbortSignal} signal
 * @param {(error?: unknown) => void} draw
 */
async function follow(signal, draw) {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    if (signal.aborted) return;
    if (document.hidden) continue;
    try {
      await ask(signal);
      draw();
    } catch (error) {
      if (signal.aborted) return;
      draw(error);
    }
  }
}

/**
 * @param {Gauge} gauge
 * @param {Overview} now
 */
function figure({ title, note, kind, value, format = (given) => given.toLocaleString(), link, bad }, now) {
  const current = value(now);
  const points =
    kind === 'bars'
      ? (now.notifications_per_minute ?? []).map(({ minute, count }) => ({ at: clock(minute), value: count }))
      : seen.map((one) => ({ at: SECONDS.format(Date.parse(one.as_of)), value: value(one) }));
  const slots = kind === 'bars' ? points.length || 1 : Math.max(LEAST, points.length);
  const section = card(
    title,
    h(
      'p',
      { class: `figure ${current === null ? 'unknown' : bad && current > 0 ? 'bad' : ''}` },
      current === null ? 'unknown' : format(current),
    ),
    h(
      'p',
      { class: 'note' },
      detail(title, now) ?? note,
      link && current !== 0 && [' · ', h('a', { href: link }, 'look at them')],
    ),
    chart({ name: title, points, slots, kind, format }),
    h(
      'p',
      { class: 'span' },
      h('span', {}, kind === 'bars' ? 'an hour ago' : `${(slots * EVERY_MS) / 1000} seconds ago`),
      h('span', {}, 'now'),
    ),
  );
  section.dataset.testid = `gauge-${title.toLowerCase().replaceAll(' ', '-')}`;
  return section;
}

/**
 * @param {string} title
 * @param {Overview} now
 */
function detail(title, now) {
  const median = now.hint_latency_ms?.p50;
  if (title === 'Hint latency' && median !== null && median !== undefined) {
    return `99th percentile, commit to frame; median ${ms(median)}`;
  }
  if (title === 'Queue depth' && now.queue_due !== null)
    return `jobs waiting, ${now.queue_due.toLocaleString()} of them due`;
  return null;
}

/** @param {Overview} now */
function beginning(now) {
  if (now.environments !== 0) return null;
  return card(
    'Begin here',
    h(
      'p',
      {},
      'There is no environment yet. An environment has its own subscribers, API keys and secret: one for production, one for staging.',
    ),
    session.can('env:manage')
      ? h(
          'p',
          {},
          h('a', { class: 'button primary', href: to`environments` }, 'Create the first environment'),
        )
      : h('p', { class: 'quiet' }, 'An administrator can create one.'),
  );
}
