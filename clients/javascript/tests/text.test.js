import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ago, asText, asWebAddress } from '../bell-text.js';

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
