/**
 * One `POST` to a node: JSON there, JSON back, and every way in which that can fail as an error with a code.
 *
 * Invariant: a request is sent once. After NO_ANSWER nobody knows whether the node has it; sending the same signed request again is safe, its
 * nonce is used up once.
 */
import { HeddleError } from '../base/errors.ts';

export interface HttpOptions {
  /** http:// or https://, without a path. */
  readonly url: string;
  readonly fetch: typeof fetch;
  readonly timeoutMs: number;
}

const TEXT_MAX = 500;

/** Codes of statuses that a node answers with and that mean something of their own. */
const STATUS_CODES: Readonly<Record<number, readonly [code: string, advice: string]>> = {
  413: ['TOO_LARGE', 'the request is too large: send fewer orders at once'],
  422: ['MALFORMED_REQUEST', 'the node does not understand the request'],
  429: ['BUSY', 'the node takes no more at the moment: try again later'],
  503: ['BUSY', 'the node takes nothing at the moment: try again later'],
};

/** Throws NO_ANSWER, BUSY, MALFORMED_REQUEST, TOO_LARGE, REFUSED (another status), MALFORMED_ANSWER. */
export async function postJson({ url, fetch, timeoutMs }: HttpOptions, path: string, body: unknown): Promise<unknown> {
  let status: number;
  let text: string;
  try {
    const response = await fetch(new URL(path, url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
    });
    status = response.status;
    text = await response.text();
  } catch (cause) {
    const late = cause instanceof DOMException && cause.name === 'TimeoutError';
    const how = late ? ` within ${timeoutMs} ms` : '';
    throw new HeddleError('NO_ANSWER', `no answer of ${url}${path}${how}: is a node running there?`, { cause });
  }
  if (status < 200 || status > 299) {
    const [code, advice] = STATUS_CODES[status] ?? ['REFUSED', `status ${status}`];
    throw new HeddleError(code, `${advice}${text === '' ? '' : `: ${text.slice(0, TEXT_MAX)}`}`);
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new HeddleError('MALFORMED_ANSWER', `${url}${path} does not answer in JSON: is it a node?`, { cause });
  }
}
