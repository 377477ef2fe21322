import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';

import { ends, retryDelay } from '../connection.js';
import { fixRandom, freezeTime, heard, open, pass, settle, thaw } from './fakes.js';

beforeEach(freezeTime);
afterEach(thaw);

/** @param {Partial<import('../bellwire.js').Options>} [options] */
async function live(options) {
  const opened = open(options);
  opened.inbox.connect();
  await settle();
  opened.gateway.socket.ready();
  await settle();
  return opened;
}

/** A token as a backend would make one, unsigned. @param {number} expiresAtS */
function token(expiresAtS) {
  return `h.${Buffer.from(JSON.stringify({ sub: 'ada', exp: expiresAtS })).toString('base64url')}.s`;
}

describe('close codes', () => {
  test('4500 to 4999, a protocol error and an agreed close stop; all others come back', () => {
    for (const code of [1000, 1002, 1003, 1007, 1009, 4500, 4501, 4503, 4505, 4506, 4777, 4999]) {
      assert.equal(ends(code), true, String(code));
    }
    for (const code of [1001, 1005, 1006, 1011, 1012, 1013, 4000, 4001, 4002, 4008, 4009, 4321, 4499]) {
      assert.equal(ends(code), false, String(code));
    }
  });

  test('the delay is random up to 2 s, then twice that with each failure, at most 30 s', () => {
    fixRandom(1);
    const most = [1, 2, 3, 4, 5, 2000].map((failures) => retryDelay(1006, failures, null));
    assert.deepEqual(most, [2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    fixRandom(0);
    assert.equal(retryDelay(1006, 3, null), 0);
  });

  test('the server may ask for another delay, but not for less than the code allows', () => {
    fixRandom(0.5);
    assert.equal(retryDelay(1012, 4, 1_234), 1_234);
    assert.equal(retryDelay(4008, 1, null), 6_000);
    assert.equal(retryDelay(4009, 1, null), 61_000);
    assert.equal(retryDelay(4009, 1, 200), 60_000);
  });
});

describe('connecting', () => {
  test('the credentials go in the first frame, never into the URL', async () => {
    const { gateway, inbox } = open({ subscriberId: 'ä/1', subscriberHash: 'abc' });
    inbox.connect();
    await settle();
    gateway.socket.onopen();
    assert.equal(gateway.socket.url, 'wss://api.test/v1/inbox/ws');
    assert.deepEqual(gateway.socket.sent, [
      { type: 'connect', environment: 'demo', subscriber_id: 'ä/1', subscriber_hash: 'abc' },
    ]);
  });

  test('that no socket ever opens is said once, with the address', async () => {
    const warn = mock.method(console, 'warn', () => {});
    const { gateway, inbox } = open({ gatewayUrl: 'wss://wrong.test/v1/inbox/ws' });
    inbox.connect();
    for (let failures = 0; failures < 3; failures++) {
      await settle();
      gateway.socket.onclose({ code: 1006, reason: '' });
      await pass(30_000);
    }
    assert.equal(gateway.sockets.length, 4);
    assert.equal(warn.mock.callCount(), 1);
    assert.match(warn.mock.calls[0].arguments[0], /wss:\/\/wrong\.test.*gatewayUrl/);
  });

  test('a link that was lost is no wrong address', async () => {
    const warn = mock.method(console, 'warn', () => {});
    const { gateway, inbox } = open();
    inbox.connect();
    await settle();
    gateway.socket.onopen();
    gateway.socket.onclose({ code: 1006, reason: '' });
    await pass(30_000);
    gateway.socket.onclose({ code: 1006, reason: '' });
    assert.equal(gateway.sockets.length, 2);
    assert.equal(warn.mock.callCount(), 0);
  });

  test('it is live at ready, not at open', async () => {
    const { gateway, inbox } = open();
    const statuses = heard(inbox, 'status');
    inbox.connect();
    await settle();
    gateway.socket.onopen();
    assert.deepEqual(
      statuses.map(({ name }) => name),
      ['connecting'],
    );
    gateway.socket.ready();
    assert.deepEqual(
      statuses.map(({ name }) => name),
      ['connecting', 'live'],
    );
  });

  test('connecting twice opens one socket', async () => {
    const { gateway, inbox } = open();
    inbox.connect();
    inbox.connect();
    await settle();
    inbox.connect();
    await settle();
    assert.equal(gateway.sockets.length, 1);
  });

  test('a socket that never gets ready is given up', async () => {
    const { gateway, inbox } = open();
    inbox.connect();
    await settle();
    await pass(20_000);
    assert.equal(inbox.state.status.name, 'reconnecting');
    assert.equal(gateway.socket.closed, true);
  });

  test('an address that is none stops, and says why', async () => {
    const { inbox } = open({
      WebSocket: /** @type {any} */ (
        class {
          constructor() {
            throw new SyntaxError('not a websocket URL');
          }
        }
      ),
    });
    inbox.connect();
    await settle();
    assert.equal(inbox.state.status.name, 'stopped');
    assert.match(inbox.state.status.reason, /not a websocket URL/);
  });

  test('closed while a token is fetched, it opens nothing', async () => {
    /** @type {(token: string) => void} */
    let deliver = () => {};
    const { gateway, inbox } = open({ token: () => new Promise((resolve) => (deliver = resolve)) });
    inbox.connect();
    await settle();
    inbox.close();
    deliver('t');
    await settle();
    assert.equal(gateway.sockets.length, 0);
    assert.equal(inbox.state.status.name, 'stopped');
  });
});

describe('losing the link', () => {
  test('it comes back after the backoff, and not before', async () => {
    fixRandom(0.5);
    const { gateway, inbox } = await live();
    gateway.socket.end(1006);
    assert.equal(inbox.state.status.name, 'reconnecting');
    assert.equal(inbox.state.status.retryAt, Date.now() + 1_000);
    await pass(999);
    assert.equal(gateway.sockets.length, 1);
    await pass(1);
    assert.equal(gateway.sockets.length, 2);
  });

  test('goodbye names the delay, counted from the close', async () => {
    const { gateway } = await live();
    gateway.socket.frame({ type: 'goodbye', reason: 'draining', reconnect_after_ms: 7_000 });
    await pass(3_000);
    gateway.socket.end(1012);
    await pass(6_999);
    assert.equal(gateway.sockets.length, 1);
    await pass(1);
    assert.equal(gateway.sockets.length, 2);
  });

  test('a goodbye holds for one close only', async () => {
    fixRandom(0.5);
    const { gateway, inbox } = await live();
    gateway.socket.frame({ type: 'goodbye', reason: 'draining', reconnect_after_ms: 7_000 });
    gateway.socket.end(1012);
    await pass(7_000);
    gateway.socket.end(1006);
    assert.equal(inbox.state.status.retryAt, Date.now() + 2_000);
  });

  test('a goodbye cannot send it away for longer than a minute', async () => {
    const { gateway, inbox } = await live();
    gateway.socket.frame({ type: 'goodbye', reason: 'draining', reconnect_after_ms: 1e12 });
    gateway.socket.end(1012);
    assert.equal(inbox.state.status.retryAt, Date.now() + 60_000);
  });

  test('a link that keeps flapping backs off; one that held starts anew', async () => {
    fixRandom(1);
    const { gateway, inbox } = await live();
    const waits = [];
    for (const heldMs of [0, 0, 0, 10_000]) {
      await pass(heldMs);
      gateway.socket.end(1006);
      const wait = (inbox.state.status.retryAt ?? 0) - Date.now();
      waits.push(wait);
      await pass(wait);
      gateway.socket.ready();
    }
    assert.deepEqual(waits, [2_000, 4_000, 8_000, 2_000]);
  });

  test('a gateway that stays away is asked less and less, however long the link before held', async () => {
    fixRandom(1);
    const { gateway, inbox } = await live();
    await pass(20_000);
    const waits = [];
    for (let n = 0; n < 5; n++) {
      gateway.socket.end(1006);
      const wait = (inbox.state.status.retryAt ?? 0) - Date.now();
      waits.push(wait);
      await pass(wait);
    }
    assert.deepEqual(waits, [2_000, 4_000, 8_000, 16_000, 30_000]);
  });

  test('silence for the ping interval and 10 s is a dead link; any frame proves it alive', async () => {
    const { gateway, inbox } = await live({});
    gateway.socket.ready({ ping_interval_s: 5 });
    await pass(14_999);
    gateway.socket.frame({ type: 'ping' });
    await pass(14_999);
    assert.equal(inbox.state.status.name, 'live');
    await pass(1);
    assert.equal(inbox.state.status.name, 'reconnecting');
    assert.equal(gateway.socket.closed, true);
  });

  test('a socket that was given up is no longer listened to', async () => {
    fixRandom(0);
    const { gateway, inbox } = await live();
    const [first] = gateway.sockets;
    const hints = heard(inbox, 'hint');
    await pass(35_000);
    await pass(0);
    gateway.socket.ready();
    first.frame({ type: 'hint', reason: 'notification' });
    first.end(4501);
    assert.equal(inbox.state.status.name, 'live');
    assert.deepEqual(hints, []);
  });

  test('a code that stops leaves the reason, and only connect() starts again', async () => {
    const { gateway, inbox } = await live();
    gateway.socket.end(4505, 'subscriber erased');
    const { name, code, reason } = inbox.state.status;
    assert.deepEqual([name, code, reason], ['stopped', 4505, 'subscriber erased']);
    await pass(600_000);
    assert.equal(gateway.sockets.length, 1);
    inbox.connect();
    await settle();
    assert.equal(gateway.sockets.length, 2);
  });

  test('close() ends a wait, too', async () => {
    const { gateway, inbox } = await live();
    gateway.socket.end(1006);
    inbox.close();
    await pass(60_000);
    assert.equal(gateway.sockets.length, 1);
  });
});

describe('frames', () => {
  test('unknown types, and what is no frame at all, change nothing', async () => {
    const { gateway, inbox } = await live();
    gateway.socket.frame({ type: 'confetti' });
    for (const data of ['', '{', 'null', '[]', '{"type":7}', new ArrayBuffer(2)])
      gateway.socket.onmessage({ data });
    assert.equal(inbox.state.status.name, 'live');
  });

  test('a listener may close the inbox from within', async () => {
    const { gateway, inbox } = open();
    inbox.addEventListener('frame', () => inbox.close());
    inbox.connect();
    await settle();
    gateway.socket.ready();
    assert.equal(inbox.state.status.name, 'stopped');
  });
});

describe('tokens', () => {
  test('the token alone says who it is', async () => {
    const { gateway } = await live({ token: 't1' });
    assert.deepEqual(gateway.socket.sent, [{ type: 'connect', token: 't1' }]);
  });

  test('one that expired is replaced before the next try', async () => {
    fixRandom(0.5);
    const tokens = ['t1', 't2'];
    const { gateway } = await live({ token: () => tokens.shift() ?? 'none left' });
    gateway.socket.end(4002);
    await pass(1_000);
    gateway.socket.onopen();
    assert.deepEqual(gateway.socket.sent, [{ type: 'connect', token: 't2' }]);
  });

  test('one that expired and cannot be replaced stops', async () => {
    const { gateway, inbox } = await live({ token: 't1' });
    gateway.socket.end(4002);
    assert.equal(inbox.state.status.name, 'stopped');
    assert.equal(inbox.state.status.reason, 'token expired');
  });

  test('a backend that gives none is asked again, with backoff', async () => {
    fixRandom(0.5);
    let asked = 0;
    const { gateway, inbox } = open({
      token: () => {
        asked++;
        if (asked < 3) throw new Error('backend away');
        return 't';
      },
    });
    inbox.connect();
    await settle();
    assert.match(inbox.state.status.reason, /backend away/);
    await pass(1_000);
    assert.equal(asked, 2);
    await pass(2_000);
    assert.equal(asked, 3);
    assert.equal(gateway.sockets.length, 1);
  });

  test('a socket gets its next token before the old one ends, and again after that', async () => {
    const start = Date.now() / 1000;
    const tokens = [token(start + 100), token(start + 200)];
    const { gateway } = await live({ token: () => tokens.shift() ?? 'third' });
    await pass(15_000);
    gateway.socket.frame({ type: 'ping' });
    await pass(34_000);
    gateway.socket.frame({ type: 'ping' });
    await pass(30_000);
    gateway.socket.frame({ type: 'ping' });
    assert.equal(gateway.socket.sent.length, 1);
    await pass(1_000);
    assert.equal(gateway.socket.sent.length, 2);
    assert.equal(gateway.socket.sent[1].type, 'refresh');
    gateway.socket.frame({ type: 'refreshed', expires_at: new Date(Date.now() + 20_000).toISOString() });
    await pass(16_000);
    assert.deepEqual(gateway.socket.sent[2], { type: 'refresh', token: 'third' });
  });

  test('neither a token that lasts for years nor one from the past makes it spin', async () => {
    const years = await live({ token: () => token(Date.now() / 1000 + 1e9) });
    const past = await live({ token: () => token(1) });
    await pass(9_999);
    assert.equal(years.gateway.socket.sent.length, 1);
    assert.equal(past.gateway.socket.sent.length, 1);
    await pass(1);
    assert.equal(past.gateway.socket.sent.length, 2);
  });
});
