/**
 * Bodies in and answers out of HTTP, within bounds.
 *
 * Invariant: a body is read to its bound and no further, and every request gets one answer.
 * Not here: routes.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { MALFORMED_TEXT } from './malformed-request.ts';

/** As the original: any page may ask, there are no cookies. */
const CORS = { 'access-control-allow-origin': '*', 'access-control-allow-methods': '*', 'access-control-allow-headers': '*' } as const;

const CORS_LIST: readonly string[] = Object.entries(CORS).flat();
/** Beyond the original: the block that an answer is of. */
const HEIGHT = 'heddle-height';

export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly height?: number | undefined;
}

export function jsonAnswer(value: unknown, height?: number): HttpAnswer {
  return { status: 200, contentType: 'application/json', body: JSON.stringify(value), height };
}

export function textAnswer(status: number, body: string): HttpAnswer {
  return { status, contentType: 'text/plain; charset=utf-8', body };
}

export const malformedAnswer: HttpAnswer = textAnswer(422, MALFORMED_TEXT);
export const tooManyAnswer: HttpAnswer = textAnswer(429, 'Too many requests');
export const tooLargeAnswer: HttpAnswer = textAnswer(413, 'Failed to buffer the request body: length limit exceeded');

export function sendAnswer(response: ServerResponse, { status, contentType, body, height }: HttpAnswer, close = false): void {
  if (response.headersSent || response.destroyed) return;
  const headers = [...CORS_LIST, 'content-type', contentType, 'content-length', String(Buffer.byteLength(body))];
  if (height !== undefined) headers.push(HEIGHT, String(height), 'access-control-expose-headers', HEIGHT);
  if (close) headers.push('connection', 'close');
  response.writeHead(status, headers);
  response.end(body);
}

export function sendPreflight(response: ServerResponse): void {
  response.writeHead(204, { ...CORS, 'access-control-max-age': '86400' });
  response.end();
}

/** The body as text; undefined: it is larger than `bytesMax` (what follows is not read), or the client has gone. */
export function readBody(request: IncomingMessage, bytesMax: number): Promise<string | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) return Promise.resolve(undefined);
  // Events, and no loop over the stream: a loop makes promises for every piece and for the end.
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    let size = 0;
    request.on('data', (piece: Buffer) => {
      size += piece.length;
      if (size <= bytesMax) {
        pieces.push(piece);
        return;
      }
      request.pause();
      resolve(undefined);
    });
    request.on('end', () => resolve(size > bytesMax ? undefined : textOf(pieces)));
    request.on('error', () => resolve(undefined));
    request.on('close', () => resolve(undefined));
  });
}

function textOf(pieces: readonly Buffer[]): string {
  return (pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces)).toString('utf8');
}
