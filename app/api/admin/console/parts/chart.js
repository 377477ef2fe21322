/**
 * Small charts in SVG. A value that is not known leaves a gap; it is never drawn as zero.
 */

import { h, svg } from '../core/h.js';

/** @typedef {{ at: string, value: number | null }} Point at: what to call the moment. */

const WIDTH = 600;
const HEIGHT = 120;
const FOOT = 2; // so that a line at zero is whole

/**
 * @param {object} options
 * @param {string} options.name Of what is shown.
 * @param {Point[]} options.points In order, evenly spaced.
 * @param {number} [options.slots] How many would fill the width; the points stand at its right end.
 * @param {'line' | 'bars'} options.kind
 * @param {(value: number) => string} [options.format]
 */
export function chart({
  name,
  points,
  slots = points.length,
  kind,
  format = (value) => value.toLocaleString(),
}) {
  const values = points.flatMap(({ value }) => (value === null ? [] : [value]));
  const top = ceiling(Math.max(0, ...values));
  const offset = slots - points.length;
  const x = (/** @type {number} */ index) => ((index + offset + 0.5) / slots) * WIDTH;
  const y = (/** @type {number} */ value) => HEIGHT - FOOT - (value / top) * (HEIGHT - 2 * FOOT);
  const drawing = svg(
    'svg',
    {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      preserveAspectRatio: 'none',
      role: 'img',
      'aria-label': summary(name, values, format),
    },
    [0.5, 1].map((part) =>
      svg('line', { class: 'grid', x1: 0, x2: WIDTH, y1: y(top * part), y2: y(top * part) }),
    ),
    svg('line', { class: 'axis', x1: 0, x2: WIDTH, y1: y(0), y2: y(0) }),
    kind === 'bars' ? bars(points, x, y, WIDTH / slots) : lines(points, x, y),
  );
  const told = h('output', { class: 'told', 'aria-hidden': 'true' });
  const cursor = svg('line', { class: 'cursor', y1: 0, y2: HEIGHT, visibility: 'hidden' });
  drawing.append(cursor);
  drawing.addEventListener('pointermove', (/** @type {PointerEvent} */ event) => {
    const share = event.offsetX / drawing.clientWidth;
    const index = Math.floor(share * slots) - offset;
    const point = points[index];
    cursor.setAttribute('visibility', point ? 'visible' : 'hidden');
    for (const end of ['x1', 'x2']) cursor.setAttribute(end, String(x(index)));
    told.textContent = point ? `${point.at}: ${point.value === null ? 'unknown' : format(point.value)}` : '';
  });
  drawing.addEventListener('pointerleave', () => {
    cursor.setAttribute('visibility', 'hidden');
    told.textContent = '';
  });
  return h('div', { class: 'chart' }, h('span', { class: 'top' }, format(top)), drawing, told);
}

/**
 * @param {Point[]} points
 * @param {(index: number) => number} x
 * @param {(value: number) => number} y
 * @param {number} step
 */
function bars(points, x, y, step) {
  return points.map(({ value }, index) => {
    if (value === null) return null;
    const height = value === 0 ? 1 : Math.max(2, y(0) - y(value));
    return svg('rect', {
      class: value === 0 ? 'bar none' : 'bar',
      x: x(index) - step * 0.36,
      width: step * 0.72,
      y: y(0) - height,
      height,
    });
  });
}

/**
 * One line, and the area under it, for each run of known values.
 * @param {Point[]} points
 * @param {(index: number) => number} x
 * @param {(value: number) => number} y
 */
function lines(points, x, y) {
  /** @type {string[][]} */
  const runs = [[]];
  for (const [index, { value }] of points.entries()) {
    if (value === null) runs.push([]);
    else runs[runs.length - 1].push(`${x(index).toFixed(1)},${y(value).toFixed(1)}`);
  }
  return runs.flatMap((run) => {
    if (run.length === 0) return [];
    if (run.length === 1) run.push(run[0].replace(/^[\d.]+/, (left) => String(Number(left) + 3)));
    const [from, until] = [run[0], run[run.length - 1]].map((point) => point.split(',')[0]);
    return [
      svg('polygon', { class: 'area', points: `${from},${y(0)} ${run.join(' ')} ${until},${y(0)}` }),
      svg('polyline', { class: 'line', points: run.join(' ') }),
    ];
  });
}

/** The next round number. @param {number} value */
function ceiling(value) {
  if (value <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const factors = power === 1 ? [1, 2, 3, 4, 5, 6, 8, 10] : [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];
  return factors.map((factor) => factor * power).find((round) => round >= value) ?? value;
}

/**
 * @param {string} name
 * @param {number[]} values
 * @param {(value: number) => string} format
 */
function summary(name, values, format) {
  if (values.length === 0) return `${name}: unknown`;
  const [least, most] = [Math.min(...values), Math.max(...values)].map(format);
  return `${name}: now ${format(values[values.length - 1])}, between ${least} and ${most}`;
}
