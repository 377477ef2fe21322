import assert from 'node:assert/strict';
import { test } from 'node:test';

import { LABELS, ago, asText, asWebAddress, inPlaceOfItems, troubleOf } from '../bell-text.js';
import { BellwireError } from '../bellwire.js';
import { IDLE } from '../connection.js';

const BASE = 'https://app.test/orders/';

test('a link is http or https, or it is none', () => {
  assert.equal(asWebAddress('https://x.test/a', BASE)?.href, 'https://x.test/a');
  assert.equal(asWebAddress('/orders/42', BASE)?.href, 'https://app.test/orders/42');
  for (const address of [
    'javascript:alert(1)',
    ' JaVaScRiPt:alert(1)',
    'java\nscript:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    'blob:https://app.test/1',
    'file:///etc/passwd',
    'https://',
    'http://[',
    '',
    7,
    null,
    undefined,
    {},
    ['https://x.test'],
  ]) {
    assert.equal(asWebAddress(address, BASE), null, String(address));
  }
});

test('only text is text', () => {
  assert.equal(asText('a'), 'a');
  for (const value of [7, null, undefined, {}, [], true]) assert.equal(asText(value), '');
});

test('how long ago, in a word or two', () => {
  const now = Date.UTC(2026, 5, 15, 12);
  const said = (/** @type {number} */ seconds) => ago(now - seconds * 1000, now, 'en', 'now');
  assert.equal(said(-100), 'now'); // the server's clock is ahead
  assert.equal(said(44), 'now');
  assert.equal(said(50), '1 min. ago');
  assert.equal(said(3_599), '59 min. ago');
  assert.equal(said(3_600), '1 hr. ago');
  assert.equal(said(86_400), 'yesterday');
  assert.equal(said(3 * 86_400), '3 days ago');
  assert.equal(said(10 * 86_400), 'Jun 5');
  assert.equal(said(400 * 86_400), 'May 11, 2025');
});

/** @type {import('../connection.js').Status} */
const LIVE = { ...IDLE, name: 'live' };

test('a refusal of who asks is not told to try again, in the list or below it', () => {
  for (const status of [401, 403]) {
    const error = new BellwireError(status, 'unauthorized', 'bad proof', null);
    assert.deepEqual(inPlaceOfItems({ filter: null, loaded: false, error }, LABELS), LABELS.refused);
    assert.deepEqual(troubleOf(LIVE, error, LABELS), {
      text: 'This page may not see this inbox.',
      again: false,
    });
  }
  for (const code of [4501, 4505, 4506]) {
    const status = { ...IDLE, name: /** @type {const} */ ('stopped'), code, reason: 'bad proof' };
    assert.equal(troubleOf(status, null, LABELS).again, false, String(code));
  }
});

test('any other failure may pass, and is told so', () => {
  for (const error of [new TypeError('no network'), new BellwireError(503, 'unavailable', 'away', 2)]) {
    assert.deepEqual(inPlaceOfItems({ filter: null, loaded: false, error }, LABELS), LABELS.notLoaded);
    assert.deepEqual(troubleOf(LIVE, error, LABELS), {
      text: `That did not work: ${error.message}`,
      again: true,
    });
  }
  const stopped = { ...IDLE, name: /** @type {const} */ ('stopped'), code: 4503, reason: 'no connect' };
  assert.deepEqual(troubleOf(stopped, null, LABELS), {
    text: 'Live updates have stopped: no connect',
    again: true,
  });
});

test('where nothing is wrong, nothing is said; where it is coming, that', () => {
  assert.equal(troubleOf(LIVE, null, LABELS).text, '');
  assert.equal(troubleOf({ ...IDLE, name: 'connecting' }, null, LABELS).text, LABELS.connecting);
  assert.equal(troubleOf({ ...IDLE, name: 'reconnecting', code: 1006 }, null, LABELS).text, LABELS.offline);
  const feed = /** @type {const} */ ({ filter: 'unread', loaded: true, error: null });
  assert.deepEqual(inPlaceOfItems(feed, LABELS), LABELS.empty.unread);
  assert.deepEqual(inPlaceOfItems({ ...feed, loaded: false }, LABELS), [LABELS.loading, '']);
});
