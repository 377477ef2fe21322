/**
 * The demo page: one person's inbox on screen, and a form that rings it. Served in development only; a page
 * for others must never hold an API key.
 */

import './bellwire-bell.js';
import { BellwireInbox } from './bellwire.js';

const PEOPLE = ['ada', 'grace'];
const ELSE = '\0'; // the choice "someone else": no subscriber id can be this
const LONGEST_LOG = 200;
const PATIENCE_MS = 5_000;
const CLOCK = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
});
const EXAMPLES = [
  {
    name: 'an order',
    category: 'order.shipped',
    title: 'Order 1042 is on its way',
    body: 'Two parcels left Rotterdam this morning. Expected on Thursday.',
  },
  {
    name: 'a comment',
    category: 'comment.created',
    title: 'Grace commented on “Autumn price list”',
    body: 'The third column still shows last year. Shall I fix it?',
  },
  {
    name: 'a failed payment',
    category: 'billing.failed',
    title: 'A payment did not go through',
    body: 'The card ending in 4242 was declined. We try again tomorrow.',
  },
];

/** @type {(id: string) => any} */
const $ = (id) => document.getElementById(id);
const form = $('send');
const fields = form.elements;

/** @type {{ environment: string, gateway_url: string, api_url: string, api_key: string }} */
let config;
/** @type {BellwireInbox | null} */
let inbox = null;
let person = '';
/** Item id to the time its hint came, for the round trip. @type {Map<string, number>} */
const lit = new Map();

// The person

function chosen() {
  return new URLSearchParams(location.search).get('as') || PEOPLE[0];
}

/** @param {string} id */
function addressOf(id) {
  return `/demo?${new URLSearchParams({ as: id })}`;
}

function signIn() {
  inbox?.close();
  const followed = fields.recipient.value === person;
  person = chosen();
  if (followed) fields.recipient.value = person;
  $('whose').textContent = `${person}’s`;
  $('portrait').textContent = [...person][0].toUpperCase();
  $('second').href = addressOf(person);
  $('other').href = addressOf(PEOPLE.find((other) => other !== person) ?? PEOPLE[0]);
  const people = [...new Set([...PEOPLE, person])];
  $('person').replaceChildren(...people.map((id) => new Option(id, id)), new Option('someone else…', ELSE));
  $('person').value = person;
  clearLog();
  lit.clear();
  $('outcome').replaceChildren();

  inbox = new BellwireInbox({
    environment: config.environment,
    subscriberId: person,
    apiUrl: config.api_url,
    gatewayUrl: config.gateway_url,
  });
  inbox.addEventListener('status', showStatus);
  inbox.addEventListener('counts', showTitle);
  inbox.addEventListener('frame', (event) => log(/** @type {CustomEvent} */ (event).detail));
  $('bell').inbox = inbox;
  inbox.connect();
  showTitle();
  showCurl();
}

function changePerson() {
  let id = $('person').value;
  if (id === ELSE) id = (prompt('Subscriber id of this person') ?? '').trim();
  if (id && id !== person) {
    history.pushState(null, '', addressOf(id));
    signIn();
  }
  $('person').value = person;
}

// What is known

function showTitle() {
  const unread = inbox?.state.counts?.unread ?? 0;
  document.title = `${unread ? `(${unread}) ` : ''}${person} · Larkspur · Bellwire demo`;
}

function showStatus() {
  if (inbox === null) return;
  const { name, code, reason, retryAt } = inbox.state.status;
  const why = [reason, code].filter(Boolean).join(', ');
  const seconds = Math.max(0, Math.ceil(((retryAt ?? 0) - Date.now()) / 1000));
  const text = {
    idle: 'Not connected',
    connecting: 'Connecting…',
    live: 'Live',
    reconnecting: `Reconnecting in ${seconds} s`,
    stopped: `Stopped: ${why || 'closed'}`,
  }[name];
  $('connection').dataset.state = name;
  $('connection').title = why;
  $('reconnect').hidden = name !== 'stopped';
  if ($('status').textContent !== text) $('status').textContent = text;
}

/** @param {Record<string, unknown> & { type: string }} frame */
function log(frame) {
  if (frame.type === 'hint' && typeof frame.id === 'string') lit.set(frame.id, performance.now());
  const { type, ...rest } = frame;
  const line = document.createElement('li');
  const name = document.createElement('b');
  name.textContent = type;
  name.dataset.type = type;
  const content = document.createElement('code');
  content.textContent = Object.keys(rest).length ? spaced(rest) : '';
  const time = document.createElement('time');
  time.textContent = CLOCK.format(new Date());
  line.append(time, name, content);
  $('log').prepend(line);
  while ($('log').childElementCount > LONGEST_LOG) $('log').lastElementChild.remove();
  $('log-empty').hidden = true;
}

/** @param {object} value One line of JSON that can be broken between its parts. */
function spaced(value) {
  return JSON.stringify(value, null, 1).replaceAll(/\n */g, ' ');
}

function clearLog() {
  $('log').replaceChildren();
  $('log-empty').hidden = false;
}

// Sending

/** What the form asks for: the path and the body of one request. */
function request() {
  const everyone = fields.audience.value === 'all';
  const payload = { title: fields.title.value, ...(fields.body.value && { body: fields.body.value }) };
  const message = { category: fields.category.value, payload };
  return everyone
    ? { path: '/v1/broadcasts', body: message }
    : { path: '/v1/notifications', body: { subscriber_id: fields.recipient.value, ...message } };
}

/** @param {SubmitEvent} event */
async function send(event) {
  event.preventDefault();
  const { path, body } = request();
  const outcome = $('outcome');
  outcome.replaceChildren('Sending…');
  const sentAt = performance.now();
  const elapsed = () => `${(performance.now() - sentAt).toFixed(0)} ms`;
  try {
    const response = await fetch(config.api_url + path, {
      method: 'POST',
      headers: { Authorization: `Bearer ${config.api_key}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    const answered = `answered in ${elapsed()}`;
    const reply = await response.json();
    if (!response.ok) {
      outcome.replaceChildren(pill(response.status, 'bad'), ` ${reply.error?.message ?? 'refused'}`);
      return;
    }
    outcome.replaceChildren(pill(response.status, 'good'), ` ${answered}`);
    const mine = path === '/v1/broadcasts' || body.subscriber_id === person;
    outcome.append(
      ' ',
      mine ? await roundTrip(reply.notifications?.[0].id ?? reply.id, sentAt) : elsewhere(body),
    );
  } catch (error) {
    outcome.replaceChildren(pill('failed', 'bad'), ` ${error instanceof Error ? error.message : error}`);
  }
}

/**
 * Wait for the hint that names this item.
 * @param {string} id
 * @param {number} sentAt
 */
async function roundTrip(id, sentAt) {
  const asked = inbox;
  if (asked?.state.status.name !== 'live') return 'not lit: this page is not connected';
  const deadline = AbortSignal.timeout(PATIENCE_MS);
  while (!lit.has(id) && !deadline.aborted && asked === inbox) {
    await new Promise((resolve) => {
      asked.addEventListener('hint', resolve, { once: true });
      deadline.addEventListener('abort', resolve, { once: true });
    });
  }
  const at = lit.get(id);
  if (at === undefined) return `no hint within ${PATIENCE_MS / 1000} s`;
  const result = document.createElement('strong');
  result.dataset.testid = 'lit';
  result.textContent = `lit in ${Math.max(1, Math.round(at - sentAt))} ms`;
  return result;
}

/** @param {{ subscriber_id?: string }} body */
function elsewhere({ subscriber_id = '' }) {
  const link = document.createElement('a');
  link.href = addressOf(subscriber_id);
  link.target = '_blank';
  link.rel = 'noopener';
  link.textContent = `see it at ${subscriber_id}’s`;
  return link;
}

/**
 * @param {string | number} text
 * @param {'good' | 'bad'} kind
 */
function pill(text, kind) {
  const element = document.createElement('span');
  element.className = `pill ${kind}`;
  element.textContent = String(text);
  return element;
}

// The curl

/** @param {string} text One word for a POSIX shell. */
function quoted(text) {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function showCurl() {
  const { path, body } = request();
  const api = new URL(config.api_url || '/', location.href).href.replace(/\/$/, '');
  $('curl').textContent = [
    `curl ${quoted(api + path)}`,
    `-H ${quoted(`Authorization: Bearer ${config.api_key}`)}`,
    `-H ${quoted('Content-Type: application/json')}`,
    `-d ${quoted(spaced(body))}`,
  ].join(' \\\n  ');
}

async function copyCurl() {
  try {
    await navigator.clipboard.writeText($('curl').textContent);
    $('copy').textContent = 'Copied';
  } catch {
    getSelection()?.selectAllChildren($('curl')); // no permission: one keystroke is left to do
    $('copy').textContent = 'Selected';
  }
  setTimeout(() => ($('copy').textContent = 'Copy'), 1500);
}

/** @param {(typeof EXAMPLES)[number]} example */
function fill({ category, title, body }) {
  fields.category.value = category;
  fields.title.value = title;
  fields.body.value = body;
  showCurl();
}

function readForm() {
  const everyone = fields.audience.value === 'all';
  $('recipient-field').hidden = everyone;
  fields.recipient.disabled = everyone;
  $('broadcast-note').hidden = !everyone;
  showCurl();
}

async function start() {
  const response = await fetch('/demo/config.json');
  if (!response.ok) throw new Error(`GET /demo/config.json answered ${response.status}`);
  config = await response.json();
  for (const example of EXAMPLES) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = example.name;
    button.addEventListener('click', () => fill(example));
    $('examples').append(button);
  }
  fill(EXAMPLES[0]);
  form.addEventListener('input', readForm);
  form.addEventListener('submit', send);
  $('person').addEventListener('change', changePerson);
  $('copy').addEventListener('click', copyCurl);
  $('clear').addEventListener('click', clearLog);
  $('reconnect').addEventListener('click', () => inbox?.connect());
  addEventListener('popstate', signIn);
  setInterval(showStatus, 500); // counts down while reconnecting
  readForm();
  signIn();
}

start().catch((error) => {
  $('trouble').textContent = `This page could not start: ${error.message}`;
  $('trouble').hidden = false;
  $('status').textContent = 'Not connected';
});
