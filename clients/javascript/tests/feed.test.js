import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';

import { Feed, GAP_MS } from '../bell-feed.js';
import { freezeTime, pass, settle, thaw } from './fakes.js';

beforeEach(freezeTime);
afterEach(thaw);

/** @param {string} id */
function item(id, more = {}) {
  return {
    id,
    source: 'notification',
    category: 'c',
    payload: {},
    occurred_at: '',
    read: false,
    archived: false,
    ...more,
  };
}

/** An inbox whose lists wait until the test answers them. */
class Inbox extends EventTarget {
  state = { status: { name: 'live' }, counts: { unread: 1, unseen: 1, version: 1 } };
  /** @type {{ query: any, answer: (items: any[], next?: string | null) => Promise<void>, fail: any }[]} */
  lists = [];
  /** @type {unknown[][]} */
  marks = [];
  /** @type {Promise<void>} */
  marking = Promise.resolve();

  items(/** @type {any} */ query) {
    return new Promise((resolve, reject) => {
      this.lists.push({
        query,
        answer: async (items, next = null) => {
          const full = items.map((entry) => (typeof entry === 'string' ? item(entry) : entry));
          resolve({ items: full, next_cursor: next });
          await settle();
        },
        fail: async () => {
          reject(new Error('away'));
          await settle();
        },
      });
    });
  }

  /** @param {string} name @param {unknown} [what] */
  async #mark(name, what) {
    this.marks.push([name, what]);
    await this.marking;
  }

  read = (/** @type {any} */ { id }) => this.#mark('read', id);
  unread = (/** @type {any} */ { id }) => this.#mark('unread', id);
  archive = (/** @type {any} */ { id }) => this.#mark('archive', id);
  unarchive = (/** @type {any} */ { id }) => this.#mark('unarchive', id);
  readAll = (/** @type {any} */ { upTo }) => this.#mark('readAll', upTo);
  seenAll = (/** @type {any} */ { upTo }) => this.#mark('seenAll', upTo);

  hint() {
    this.dispatchEvent(new Event('hint'));
  }

  get last() {
    return this.lists[this.lists.length - 1];
  }
}

function make() {
  const inbox = new Inbox();
  const feed = new Feed(/** @type {any} */ (inbox));
  return { inbox, feed, ids: () => feed.items.map(({ id }) => id) };
}

/** @param {any[]} items */
async function shown(items, next = null) {
  const made = make();
  made.feed.watched = true;
  await made.inbox.last.answer(items, next);
  await pass(GAP_MS);
  return made;
}

describe('fetching', () => {
  test('nothing is fetched while nobody looks', async () => {
    const { inbox, feed } = make();
    inbox.hint();
    await pass(10_000);
    assert.equal(inbox.lists.length, 0);
    feed.watched = true;
    assert.equal(inbox.lists.length, 1);
  });

  test('looking again fetches only what changed meanwhile', async () => {
    const { inbox, feed } = await shown(['notif_1']);
    feed.watched = false;
    feed.watched = true;
    assert.equal(inbox.lists.length, 1);
    feed.watched = false;
    inbox.hint();
    feed.watched = true;
    assert.equal(inbox.lists.length, 2);
  });

  test('a burst of hints costs the first list and one after the last', async () => {
    const { inbox } = await shown(['notif_1']);
    for (let n = 0; n < 50; n++) inbox.hint();
    assert.equal(inbox.lists.length, 2);
    await inbox.last.answer(['notif_2', 'notif_1']);
    for (let n = 0; n < 50; n++) inbox.hint();
    assert.equal(inbox.lists.length, 2);
    await pass(GAP_MS);
    assert.equal(inbox.lists.length, 3);
    await inbox.last.answer(['notif_3']);
    await pass(10 * GAP_MS);
    assert.equal(inbox.lists.length, 3);
  });

  test('a connection that came back fetches what was missed', async () => {
    const { inbox } = await shown(['notif_1']);
    inbox.dispatchEvent(new Event('status'));
    assert.equal(inbox.lists.length, 2);
  });

  test('a list that cannot be fetched leaves the old one, and says so', async () => {
    const { inbox, feed, ids } = await shown(['notif_1']);
    inbox.hint();
    await inbox.last.fail();
    assert.deepEqual(ids(), ['notif_1']);
    assert.ok(feed.error);
    await pass(GAP_MS);
    void feed.reload();
    await inbox.last.answer(['notif_2']);
    assert.equal(feed.error, null);
  });

  test('more is appended, and a refresh asks for as many as are shown', async () => {
    const first = Array.from({ length: 20 }, (_, n) => `notif_${50 - n}`);
    const { inbox, feed, ids } = await shown(first, /** @type {any} */ ('next'));
    void feed.more();
    assert.equal(inbox.last.query.cursor, 'next');
    await inbox.last.answer(['notif_31', 'notif_30']); // the first of them slid over the edge meanwhile
    assert.deepEqual(ids(), [...first, 'notif_30']);
    assert.equal(feed.nextCursor, null);
    await pass(GAP_MS);
    inbox.hint();
    assert.equal(inbox.last.query.limit, 21);
  });

  test('another filter is another list, at once, and the late reply of the old one is dropped', async () => {
    const { inbox, feed, ids } = await shown(['notif_1']);
    inbox.hint();
    const late = inbox.last;
    feed.show('archived');
    assert.equal(late.query.signal.aborted, true);
    assert.equal(inbox.last.query.filter, 'archived');
    assert.equal(feed.loaded, false);
    await inbox.last.answer([item('notif_9', { archived: true })]);
    await late.answer(['notif_1']);
    assert.deepEqual(ids(), ['notif_9']);
  });

  test('closed, it neither listens nor fetches', async () => {
    const { inbox, feed } = await shown(['notif_1']);
    feed.close();
    inbox.hint();
    await pass(10_000);
    assert.equal(inbox.lists.length, 1);
  });
});

describe('marks', () => {
  test('a mark shows at once and is put right by the list', async () => {
    const { inbox, feed } = await shown(['notif_2', 'notif_1']);
    void feed.mark(feed.items[1], 'read');
    assert.deepEqual(
      feed.items.map(({ read }) => read),
      [false, true],
    );
    await settle();
    await inbox.last.answer([item('notif_2'), item('notif_1', { read: true })]);
    assert.deepEqual(inbox.marks.at(-1), ['read', 'notif_1']);
    assert.equal(feed.error, null);
  });

  test('a list fetched while a mark is under way cannot undo it', async () => {
    const { inbox, feed } = await shown(['notif_1']);
    inbox.hint();
    const early = inbox.last;
    let commit = () => {};
    inbox.marking = new Promise((resolve) => (commit = resolve));
    void feed.mark(feed.items[0], 'read');
    inbox.hint();
    await early.answer(['notif_1']);
    assert.equal(feed.items[0].read, true);
    assert.equal(inbox.last, early);
    commit();
    await settle();
    assert.notEqual(inbox.last, early);
  });

  test('a mark that failed is taken back, and told', async () => {
    const { inbox, feed } = await shown(['notif_1']);
    inbox.marking = Promise.reject(new Error('away'));
    void feed.mark(feed.items[0], 'archive');
    assert.equal(feed.items.length, 0);
    await settle();
    await inbox.last.answer(['notif_1']);
    assert.equal(feed.items.length, 1);
    assert.match(String(feed.error), /away/);
  });

  test('an item leaves the view that it no longer belongs to', async () => {
    const { feed, inbox, ids } = await shown(['notif_2', 'notif_1']);
    void feed.mark(feed.items[0], 'archive');
    assert.deepEqual(ids(), ['notif_1']);
    await settle();
    feed.show('unread');
    await inbox.last.answer(['notif_1']);
    void feed.mark(feed.items[0], 'read');
    assert.deepEqual(ids(), []);
  });

  test('all read names the newest on screen, so that nothing newer is covered', async () => {
    const { feed, inbox } = await shown(['bcast_2', 'notif_1']);
    void feed.readAll();
    assert.deepEqual(
      feed.items.map(({ read }) => read),
      [true, true],
    );
    assert.deepEqual(inbox.marks.at(-1), ['readAll', 'bcast_2']);
  });
});

describe('seen', () => {
  test('the newest on screen is told once', async () => {
    const { inbox } = await shown(['notif_1']);
    assert.deepEqual(inbox.marks, [['seenAll', 'notif_1']]);
    inbox.hint();
    await inbox.last.answer(['notif_1']);
    assert.equal(inbox.marks.length, 1);
    await pass(GAP_MS);
    inbox.hint();
    await inbox.last.answer(['notif_2', 'notif_1']);
    assert.deepEqual(inbox.marks.at(-1), ['seenAll', 'notif_2']);
  });

  test('counts that follow their list still lead to it', async () => {
    const { inbox, feed } = make();
    inbox.state.counts.unseen = 0;
    feed.watched = true;
    await inbox.last.answer(['notif_1']);
    assert.equal(inbox.marks.length, 0);
    inbox.state.counts.unseen = 1;
    inbox.dispatchEvent(new Event('counts'));
    assert.deepEqual(inbox.marks, [['seenAll', 'notif_1']]);
  });

  test('what nobody looks at is not seen', async () => {
    const { inbox, feed } = make();
    feed.watched = true;
    feed.watched = false;
    await inbox.last.answer(['notif_1']);
    assert.deepEqual(inbox.marks, []);
    feed.watched = true;
    assert.deepEqual(inbox.marks, [['seenAll', 'notif_1']]);
  });

  test('the archive shows nothing new', async () => {
    const { inbox, feed } = make();
    feed.show('archived');
    feed.watched = true;
    await inbox.last.answer([item('notif_1', { archived: true })]);
    assert.deepEqual(inbox.marks, []);
  });
});
