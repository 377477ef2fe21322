/**
 * The admin API: JSON in, JSON out, and one kind of error.
 */

const UNREACHABLE = 'Bellwire cannot be reached. Check that it runs and that you are online.';

/** What the API refused, in its own words. code: one of the contract's, or "unreachable". */
export class ApiError extends Error {
  /**
   * @param {number} status 0 where there was no answer.
   * @param {string} code
   * @param {string} message
   * @param {number} [retryAfter] Seconds.
   */
  constructor(status, code, message, retryAfter) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/** @type {() => void} */
let onSignedOut = () => {};

/** @param {() => void} listener Called when an answer says that nobody is signed in any more. */
export function whenSignedOut(listener) {
  onSignedOut = listener;
}

/**
 * @param {string} path Below /admin/api/, its parts encoded (see `at`).
 * @param {{ method?: string, body?: unknown, query?: Record<string, string | number | null | undefined>,
 *   signal?: AbortSignal }} [options] query: empty values are left out.
 * @returns {Promise<any>} null for an answer without a body.
 * @throws {ApiError}
 */
export async function api(path, { method = 'GET', body, query = {}, signal } = {}) {
  const given = Object.entries(query).filter(
    ([, value]) => value !== null && value !== undefined && value !== '',
  );
  const search = new URLSearchParams(/** @type {[string, string][]} */ (given)).toString();
  const response = await answerOf(`/admin/api/${path}${search && `?${search}`}`, {
    method,
    signal,
    headers: {
      ...(method !== 'GET' && { 'X-Bellwire-Admin': 'console' }),
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  if (response.ok) return text ? parse(text) : null;
  const error = refusal(response, text);
  if (error.status === 401 && path !== 'login') onSignedOut();
  throw error;
}

/**
 * A path of encoded segments: at`environments/${slug}`.
 * @param {TemplateStringsArray} parts
 * @param {...string} values
 */
export function at(parts, ...values) {
  return String.raw({ raw: parts }, ...values.map(encodeURIComponent));
}

/**
 * @param {string} url
 * @param {RequestInit} init
 */
async function answerOf(url, init) {
  try {
    return await fetch(url, { ...init, credentials: 'same-origin', cache: 'no-store' });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiError(0, 'unreachable', UNREACHABLE);
  }
}

/**
 * @param {Response} response
 * @param {string} text
 */
function refusal(response, text) {
  const retryAfter = Number(response.headers.get('Retry-After')) || undefined;
  try {
    const { code, message } = JSON.parse(text).error;
    return new ApiError(response.status, code, message, retryAfter);
  } catch {
    return new ApiError(response.status, 'internal', `The server answered ${response.status}.`, retryAfter);
  }
}

/**
 * Numbers that do not fit keep their spelling, where the browser can: a payload is shown as it was sent.
 * @param {string} text
 */
function parse(text) {
  const { rawJSON } = /** @type {any} */ (JSON);
  if (rawJSON === undefined) return JSON.parse(text);
  /** @type {any} */
  const keep = (/** @type {string} */ _, /** @type {unknown} */ value, /** @type {any} */ context) =>
    typeof value === 'number' && !(Math.abs(value) <= Number.MAX_SAFE_INTEGER)
      ? rawJSON(context.source)
      : value;
  return JSON.parse(text, keep);
}
