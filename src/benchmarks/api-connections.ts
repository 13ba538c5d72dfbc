/**
 * Connections of the load: HTTP with keep-alive and WebSocket posts, written byte by byte so that the client costs little beside the node that it
 * measures. What is sent was made before.
 *
 * What a turn sends over a connection leaves in one write, as clients that send much do it.
 * Invariant: every request that was sent is answered once by `onAnswer`, or counted as lost when its connection ends.
 * Not here: a client for anything else; answers are looked at as far as the measurement needs them.
 */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

export type Route = 'http' | 'ws';
/** `accepted`: every order of it rests or has traded. `ruled`: the ledger or the venue says no. `refused`: the node has no room for it. */
export type AnswerKind = 'accepted' | 'ruled' | 'refused' | 'lost';

/** The whole of a request as it goes over the wire. `id` is the post's. */
export interface WireRequest {
  readonly id: number;
  readonly bytes: Buffer;
}

export interface Connection {
  /** Requests that are sent and not answered. */
  readonly pending: number;
  send(request: WireRequest, onAnswer: (kind: AnswerKind, text: string) => void): void;
  close(): void;
}

export function wireRequest(route: Route, id: number, body: string): WireRequest {
  return { id, bytes: route === 'http' ? httpRequest(body) : postFrame(id, body) };
}

export function openConnection(route: Route, url: string): Promise<Connection> {
  return route === 'http' ? HttpConnection.open(new URL(url)) : PostConnection.open(new URL(url));
}

function kindOf(text: string): AnswerKind {
  return text.includes('"status":"ok"') && !text.includes('"error"') ? 'accepted' : 'ruled';
}

function connected(url: URL): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
    socket.once('connect', () => resolve(socket));
    socket.once('error', reject);
  });
}

/** Holds back what is written to a socket until the turn has ended. */
class TurnWriter {
  private readonly socket: Socket;
  private isHeld = false;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  write(bytes: Buffer): void {
    if (!this.isHeld) {
      this.isHeld = true;
      this.socket.cork();
      setImmediate(() => {
        this.isHeld = false;
        this.socket.uncork();
      });
    }
    this.socket.write(bytes);
  }
}

// --- HTTP -------------------------------------------------------------------------------------------------------------------------------

function httpRequest(body: string): Buffer {
  return Buffer.from(
    `POST /exchange HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

type OnAnswer = (kind: AnswerKind, text: string) => void;

/** One request at a time. */
class HttpConnection implements Connection {
  private readonly socket: Socket;
  private onAnswer: OnAnswer | undefined;
  private rest = '';

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (piece: unknown) => this.take(piece as string));
    socket.on('error', () => {});
    socket.on('close', () => this.answer('lost', ''));
  }

  static async open(url: URL): Promise<HttpConnection> {
    return new HttpConnection(await connected(url));
  }

  get pending(): number {
    return this.onAnswer === undefined ? 0 : 1;
  }

  send({ bytes }: WireRequest, onAnswer: OnAnswer): void {
    this.onAnswer = onAnswer;
    if (this.socket.destroyed) this.answer('lost', '');
    else this.socket.write(bytes);
  }

  close(): void {
    this.socket.destroy();
  }

  private take(piece: string): void {
    this.rest += piece;
    const end = this.rest.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(this.rest)?.[1] ?? 0);
    if (this.rest.length < end + 4 + length) return;
    const text = this.rest.slice(end + 4);
    const status = this.rest.slice(9, 12);
    this.rest = '';
    this.answer(status === '200' ? kindOf(text) : status === '429' ? 'refused' : 'ruled', text);
  }

  private answer(kind: AnswerKind, text: string): void {
    const { onAnswer } = this;
    this.onAnswer = undefined;
    onAnswer?.(kind, text);
  }
}

// --- WebSocket --------------------------------------------------------------------------------------------------------------------------

const MASK_BYTES = 4;
const LENGTH_16 = 126;
const LENGTH_64 = 127;

function postFrame(id: number, body: string): Buffer {
  const payload = Buffer.from(`{"method":"post","id":${id},"request":{"type":"action","payload":${body}}}`);
  const header = payload.length < LENGTH_16 ? 2 : 4;
  const frame = Buffer.alloc(header + MASK_BYTES + payload.length);
  frame[0] = 0x81;
  frame[1] = 0x80 | Math.min(payload.length, LENGTH_16);
  if (header === 4) frame.writeUInt16BE(payload.length, 2);
  const mask = randomBytes(MASK_BYTES);
  frame.set(mask, header);
  for (let i = 0; i < payload.length; i++) {
    frame[header + MASK_BYTES + i] = (payload[i] as number) ^ (mask[i % MASK_BYTES] as number);
  }
  return frame;
}

class PostConnection implements Connection {
  private readonly socket: Socket;
  private readonly writer: TurnWriter;
  private readonly waiting = new Map<number, OnAnswer>();
  private rest: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.socket = socket;
    this.writer = new TurnWriter(socket);
    socket.on('data', (piece: unknown) => this.take(piece as Buffer));
    socket.on('error', () => {});
    socket.on('close', () => {
      for (const id of [...this.waiting.keys()]) this.answer(id, 'lost', '');
    });
  }

  static async open(url: URL): Promise<PostConnection> {
    const socket = await connected(url);
    const key = randomBytes(16).toString('base64');
    socket.write(
      `GET /ws HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${key}\r\n\r\n`,
    );
    let answer = '';
    await new Promise<void>((resolve, reject) => {
      const take = (piece: unknown): void => {
        answer += (piece as Buffer).toString('latin1');
        if (!answer.endsWith('\r\n\r\n')) return;
        socket.off('data', take);
        if (answer.startsWith('HTTP/1.1 101')) resolve();
        else reject(new Error(`no WebSocket: ${answer.slice(0, 100)}`));
      };
      socket.on('data', take);
      socket.once('close', () => reject(new Error(`no WebSocket: closed after ${answer.slice(0, 100)}`)));
    });
    return new PostConnection(socket);
  }

  get pending(): number {
    return this.waiting.size;
  }

  send({ id, bytes }: WireRequest, onAnswer: OnAnswer): void {
    this.waiting.set(id, onAnswer);
    if (this.socket.destroyed) this.answer(id, 'lost', '');
    else this.writer.write(bytes);
  }

  close(): void {
    this.socket.destroy();
  }

  private take(piece: Buffer): void {
    this.rest = this.rest.length === 0 ? piece : Buffer.concat([this.rest, piece]);
    let at = 0;
    while (true) {
      const frame = frameAt(this.rest, at);
      if (frame === undefined) break;
      at = frame.end;
      if (frame.opcode === 1) this.hear(this.rest.toString('utf8', frame.start, frame.end));
    }
    this.rest = this.rest.subarray(at);
  }

  private hear(text: string): void {
    if (text.startsWith('{"channel":"error"')) {
      const id = /too many pending post requests id=(\d+)/.exec(text)?.[1];
      if (id !== undefined) this.answer(Number(id), 'refused', text);
      return;
    }
    const id = Number(/"id":(\d+)/.exec(text)?.[1]);
    this.answer(id, text.includes('"type":"error","payload":"429') ? 'refused' : kindOf(text), text);
  }

  private answer(id: number, kind: AnswerKind, text: string): void {
    const onAnswer = this.waiting.get(id);
    this.waiting.delete(id);
    onAnswer?.(kind, text);
  }
}

/** Frames of a server are not masked. Undefined: not all of it is there. */
function frameAt(bytes: Buffer, at: number): { readonly opcode: number; readonly start: number; readonly end: number } | undefined {
  if (bytes.length < at + 2) return undefined;
  const short = (bytes[at + 1] as number) & 0x7f;
  const header = short === LENGTH_16 ? 4 : short === LENGTH_64 ? 10 : 2;
  if (bytes.length < at + header) return undefined;
  const length = short === LENGTH_16 ? bytes.readUInt16BE(at + 2) : short === LENGTH_64 ? Number(bytes.readBigUInt64BE(at + 2)) : short;
  const end = at + header + length;
  return bytes.length < end ? undefined : { opcode: (bytes[at] as number) & 0x0f, start: at + header, end };
}
