import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';

import { BellwireError, BellwireInbox } from '../bellwire.js';
import { freezeTime, heard, open, settle, thaw } from './fakes.js';

beforeEach(freezeTime);
afterEach(thaw);

async function live() {
  const opened = open();
  opened.inbox.connect();
  await settle();
  opened.gateway.socket.ready({ unread: 2, unseen: 1, version: 10 });
  return opened;
}

/** @param {string} id */
function item(id) {
  return {
    id,
    source: 'notification',
    category: 'c',
    payload: {},
    occurred_at: '',
    read: false,
    archived: false,
  };
}

describe('counts', () => {
  test('ready brings the first', async () => {
    const { inbox } = await live();
    assert.deepEqual(inbox.state.counts, { unread: 2, unseen: 1, version: 10 });
  });

  test('what comes late is dropped by its version', async () => {
    const { gateway, inbox } = await live();
    const told = heard(inbox, 'counts');
    gateway.socket.frame({ type: 'counts', unread: 5, unseen: 5, version: 12 });
    gateway.socket.frame({ type: 'counts', unread: 4, unseen: 4, version: 11 });
    gateway.socket.frame({ type: 'counts', unread: 5, unseen: 5, version: 12 });
    assert.deepEqual(told, [{ unread: 5, unseen: 5, version: 12 }]);
  });

  test('ready starts afresh, with a lower version too', async () => {
    const { gateway, inbox } = await live();
    gateway.socket.ready({ unread: 0, unseen: 0, version: 1 });
    assert.deepEqual(inbox.state.counts, { unread: 0, unseen: 0, version: 1 });
  });

  test('a reply counts like a frame', async () => {
    const { api, inbox } = await live();
    api.answer({ unread: 0, unseen: 0, version: 11 });
    api.answer({ unread: 9, unseen: 9, version: 9 });
    await inbox.readAll();
    await inbox.counts();
    assert.deepEqual(inbox.state.counts, { unread: 0, unseen: 0, version: 11 });
  });

  test('a reply asked for before ready cannot be compared with it, and is left alone', async () => {
    const { api, gateway, inbox } = await live();
    api.answer({ unread: 7, unseen: 7, version: 99 });
    const asked = inbox.counts();
    gateway.socket.ready({ unread: 0, unseen: 0, version: 1 });
    assert.equal((await asked).unread, 7);
    assert.equal(inbox.state.counts?.version, 1);
  });

  test('they are known without a socket', async () => {
    const { api, inbox } = open();
    api.answer({ unread: 3, unseen: 3, version: 4, categories: { c: { unread: 3, unseen: 3 } } });
    const counts = await inbox.counts({ by: 'category' });
    assert.equal(api.last.path, 'https://api.test/v1/inbox/counts?by=category');
    assert.deepEqual(counts.categories, { c: { unread: 3, unseen: 3 } });
    assert.deepEqual(inbox.state.counts, { unread: 3, unseen: 3, version: 4 });
  });
});

describe('events', () => {
  test('a hint names its reason, and its item where it is one', async () => {
    const { gateway, inbox } = await live();
    const hints = heard(inbox, 'hint');
    gateway.socket.frame({ type: 'hint', reason: 'notification', id: 'notif_1' });
    gateway.socket.frame({ type: 'hint', reason: 'resync' });
    assert.deepEqual(hints, [
      { reason: 'notification', id: 'notif_1' },
      { reason: 'resync', id: null },
    ]);
  });

  test('the state is one object until something changes', async () => {
    const { gateway, inbox } = await live();
    const before = inbox.state;
    const states = heard(inbox, 'state');
    gateway.socket.frame({ type: 'hint', reason: 'resync' });
    assert.equal(inbox.state, before);
    gateway.socket.frame({ type: 'counts', unread: 3, unseen: 1, version: 11 });
    assert.notEqual(inbox.state, before);
    assert.deepEqual(states, [inbox.state]);
  });

  test('whoever hears that it is live already sees the new counts', async () => {
    const { gateway, inbox } = open();
    /** @type {number[]} */
    const unread = [];
    inbox.addEventListener('status', () => unread.push(inbox.state.counts?.unread ?? -1));
    inbox.connect();
    await settle();
    gateway.socket.ready({ unread: 6 });
    assert.deepEqual(unread, [-1, 6]);
  });
});

describe('the list', () => {
  test('the query carries limit, cursor, filter and every category', async () => {
    const { api, inbox } = open();
    api.answer({ items: [], next_cursor: null });
    await inbox.items({ limit: 5, cursor: 'a+b', filter: 'unread', categories: ['order.*', 'x&y'] });
    const { pathname, searchParams } = new URL(api.last.path);
    assert.equal(pathname, '/v1/inbox/items');
    assert.deepEqual(searchParams.getAll('category'), ['order.*', 'x&y']);
    assert.equal(searchParams.get('cursor'), 'a+b');
    assert.equal(searchParams.get('filter'), 'unread');
    assert.equal(searchParams.get('limit'), '5');
  });

  test('nothing asked for, nothing sent', async () => {
    const { api, inbox } = open();
    api.answer({ items: [], next_cursor: null });
    await inbox.items();
    assert.equal(api.last.path, 'https://api.test/v1/inbox/items');
  });

  test('all() goes on until no cursor follows', async () => {
    const { api, inbox } = open();
    api.answer({ items: [item('notif_3'), item('notif_2')], next_cursor: 'n' });
    api.answer({ items: [item('notif_1')], next_cursor: null });
    const ids = [];
    for await (const { id } of inbox.all({ filter: 'archived' })) ids.push(id);
    assert.deepEqual(ids, ['notif_3', 'notif_2', 'notif_1']);
    assert.equal(api.last.path, 'https://api.test/v1/inbox/items?cursor=n&filter=archived');
  });
});

describe('marks', () => {
  for (const action of /** @type {const} */ (['read', 'unread', 'archive', 'unarchive'])) {
    test(`${action} goes to the source that the id names`, async () => {
      const { api, inbox } = open();
      await inbox[action]('bcast_1');
      assert.equal(api.last.path, `https://api.test/v1/inbox/broadcasts/bcast_1/${action}`);
      await inbox[action](/** @type {any} */ (item('notif_1')));
      assert.equal(api.last.path, `https://api.test/v1/inbox/notifications/notif_1/${action}`);
      assert.equal(api.last.method, 'POST');
      assert.equal(api.last.body, undefined);
    });
  }

  test('all of them, up to what is on screen', async () => {
    const { api, inbox } = open();
    for (let n = 0; n < 4; n++) api.answer({ unread: 0, unseen: 0, version: n });
    await inbox.readAll({ upTo: 'notif_1' });
    assert.deepEqual(
      [api.last.path, api.last.body],
      ['https://api.test/v1/inbox/read-all', { up_to: 'notif_1' }],
    );
    await inbox.seenAll({ upTo: { notification: 'notif_1', broadcast: null } });
    assert.deepEqual(api.last.body, { up_to: { notification: 'notif_1', broadcast: null } });
    await inbox.archiveAll();
    assert.deepEqual([api.last.path, api.last.body], ['https://api.test/v1/inbox/archive-all', undefined]);
    await inbox.seenAll({});
    assert.equal(api.last.body, undefined);
  });
});

describe('preferences, and archiving what is read', () => {
  const muted = { category: 'news', channel: 'in_app', enabled: false };

  test('those that are set', async () => {
    const { api, inbox } = open();
    api.answer({ preferences: [muted] });
    assert.deepEqual(await inbox.preferences(), [muted]);
    assert.deepEqual(
      [api.last.method, api.last.path],
      ['GET', 'https://api.test/v1/inbox/preferences'],
    );
  });

  test('muting and unmuting names the categories, and answers with all that are set', async () => {
    const { api, inbox } = open();
    api.answer({ preferences: [muted] });
    assert.deepEqual(await inbox.setPreferences({ news: false, 'order.shipped': true }), [muted]);
    assert.equal(api.last.method, 'PUT');
    assert.deepEqual(api.last.body, {
      preferences: [muted, { category: 'order.shipped', channel: 'in_app', enabled: true }],
    });
  });

  test('archiving what is read is asked for, and done later', async () => {
    const { api, inbox } = open();
    api.replies.push(new Response('', { status: 202 }));
    assert.equal(await inbox.archiveRead(), undefined);
    assert.deepEqual(
      [api.last.method, api.last.path, api.last.body],
      ['POST', 'https://api.test/v1/inbox/archive-read', undefined],
    );
  });
});

describe('asking', () => {
  test('the headers say who, percent-encoded, and prove it', async () => {
    const { api, inbox } = open({ subscriberId: 'ä 100%', subscriberHash: 'abc' });
    await inbox.read('notif_1');
    assert.deepEqual(api.last.headers, {
      'X-Bellwire-Environment': 'demo',
      'X-Bellwire-Subscriber': '%C3%A4%20100%25',
      'X-Bellwire-Subscriber-Hash': 'abc',
    });
  });

  test('a refusal carries the code, the words and when to try again', async () => {
    const { api, inbox } = open();
    api.answer({ error: { code: 'rate_limited', message: 'slow down' } }, 429, { 'Retry-After': '3' });
    await assert.rejects(inbox.items(), (/** @type {BellwireError} */ error) => {
      assert.ok(error instanceof BellwireError);
      assert.deepEqual(
        [error.status, error.code, error.message, error.retryAfterS],
        [429, 'rate_limited', 'slow down', 3],
      );
      return true;
    });
  });

  test('a refusal by something else than the API is told as one, too', async () => {
    const { api, inbox } = open();
    api.replies.push(new Response('<h1>Bad gateway</h1>', { status: 502 }));
    await assert.rejects(inbox.items(), {
      status: 502,
      code: 'unknown',
      message: 'HTTP 502',
      retryAfterS: null,
    });
  });

  test('a refused token is replaced once, not twice', async () => {
    let minted = 0;
    const { api, inbox } = open({ token: async () => `t${++minted}` });
    api.answer({}, 401);
    await inbox.read('notif_1');
    assert.deepEqual(
      api.requests.map(({ headers }) => headers.Authorization),
      ['Bearer t1', 'Bearer t2'],
    );
    api.answer({}, 401);
    api.answer({}, 401);
    await assert.rejects(inbox.read('notif_1'), { status: 401 });
    assert.equal(minted, 3);
  });

  test('all who need a token at the same time share one', async () => {
    let minted = 0;
    const { api, inbox } = open({ token: async () => `t${++minted}` });
    await Promise.all([inbox.read('notif_1'), inbox.read('notif_2')]);
    assert.equal(api.requests.length, 2);
    assert.equal(minted, 1);
  });

  test('nobody in particular is refused at once', () => {
    assert.throws(() => new BellwireInbox({ environment: 'demo', gatewayUrl: 'ws://x' }), TypeError);
  });

  test('an option that there is not is named, and those that there are', () => {
    const options = /** @type {any} */ ({ environment: 'demo', subscriber: 'ada', gatewayUrl: 'ws://x' });
    assert.throws(() => new BellwireInbox(options), /no option subscriber; there are .*subscriberId/);
  });
});
