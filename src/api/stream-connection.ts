/**
 * One WebSocket connection: its subscriptions, its posts, its pulse (protocol, section 9).
 *
 * Invariant: a message of a client is answered or closes the connection; a connection that cannot take what it is sent, or says nothing to a
 * ping, is closed with a reason and delays nobody. Everything that it holds is given back when it is closed.
 * Not here: what is behind requests and subscriptions.
 */
import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import { asObject, fieldOf, type JsonObject, naturalAt, objectAt, optionalAt, parseJson, textAt } from './json-input.ts';
import { isMalformed, MalformedRequest } from './malformed-request.ts';
import type { RefusalPace } from './refusal-pace.ts';
import { textFrames } from './stream-frames.ts';
import { type Missed, type SubscriptionHub, subscriptionKey } from './subscription-hub.ts';

export interface StreamLimits {
  readonly subscriptionsMax: number;
  /** Users that the subscriptions of a connection are about. */
  readonly usersMax: number;
  readonly postsMax: number;
  /** Bytes that wait to be sent; beyond, the reader is too slow. */
  readonly bufferedMax: number;
  readonly depthMax: number;
}

export const streamLimits: StreamLimits = {
  subscriptionsMax: 1000,
  usersMax: 10,
  postsMax: 100,
  bufferedMax: 8 * 1024 * 1024,
  depthMax: 16,
};

export interface PostReply {
  readonly type: 'info' | 'action' | 'error';
  /** An object or a text. */
  readonly payload: object | string;
  /** The block that it is of, if it is of one. */
  readonly height?: number | undefined;
  /** There was no room for it, or its sender has sent too much: it is answered when it is its turn. */
  readonly isRefusal?: boolean;
}

export interface StreamContext {
  readonly hub: SubscriptionHub;
  readonly limits: StreamLimits;
  /** False: the sender has sent too much. */
  readonly allowMessage: () => boolean;
  /** Answers a post, which came in a message of so many bytes; calls `reply` once. */
  readonly post: (type: string, payload: unknown, bytes: number, reply: (reply: PostReply) => void) => void;
  readonly refusals: RefusalPace;
  /** What the frames go over. */
  readonly wire: Pick<Duplex, 'write'>;
  /** A mistake of ours, which this connection ends of. */
  readonly onFault: (error: unknown) => void;
  readonly onClosed: (reason: string) => void;
}

interface Held {
  readonly detach: () => void;
  readonly user: string | undefined;
}

/** Codes of the WebSocket protocol. */
const POLICY_VIOLATION = 1008;
const INTERNAL_ERROR = 1011;
const TRY_AGAIN_LATER = 1013;

export class StreamConnection {
  private readonly socket: WebSocket;
  private readonly context: StreamContext;
  private readonly subscriptions = new Map<string, Held>();
  private posts = 0;
  private heard = true;
  private closed = false;
  /** Frames of this turn, and how long they are together. */
  private outgoing: string[] = [];
  private outgoingLength = 0;
  /** Frames that say no and have not been sent. */
  private refused: string[] = [];

  constructor(socket: WebSocket, context: StreamContext) {
    this.socket = socket;
    this.context = context;
    socket.on('message', (data, isBinary) => {
      this.take(isBinary ? undefined : data.toString());
      // What is answered at once goes out before what may come behind it in the same piece: a close, after which nothing goes out.
      this.flush();
    });
    socket.on('pong', () => {
      this.heard = true;
    });
    socket.on('error', () => {});
    socket.on('close', () => this.release(CLIENT_CLOSED));
  }

  /** Called now and then: closes a connection that has been silent since the last call, pings it otherwise. */
  pulse(): void {
    if (!this.heard) {
      this.drop(POLICY_VIOLATION, 'no answer to a ping');
      return;
    }
    this.heard = false;
    this.socket.ping();
  }

  /** Says why, and ends. A client that does not read will not hear it, so the socket does not wait. */
  drop(code: number, reason: string): void {
    if (this.closed) return;
    this.flush();
    this.socket.close(code, reason);
    this.release(reason);
    setTimeout(() => this.socket.terminate(), CLOSE_WAIT_MS).unref();
  }

  private release(reason: string): void {
    if (this.closed) return;
    this.closed = true;
    for (const { detach } of this.subscriptions.values()) detach();
    this.subscriptions.clear();
    this.context.onClosed(reason);
  }

  private send(frame: string): void {
    if (this.closed) return;
    if (this.socket.bufferedAmount + this.outgoingLength > this.context.limits.bufferedMax) {
      this.drop(TRY_AGAIN_LATER, 'reads too slowly');
      return;
    }
    if (this.outgoing.length === 0) process.nextTick(() => this.flush());
    this.outgoing.push(frame);
    this.outgoingLength += frame.length;
  }

  /** What is said within one turn goes out in one write: a block answers many posts at once. */
  private flush(): void {
    const frames = this.outgoing;
    if (frames.length === 0) return;
    this.outgoing = [];
    this.outgoingLength = 0;
    if (this.socket.readyState === WebSocket.OPEN) this.context.wire.write(textFrames(frames));
  }

  /** Says no when it is its turn. Until then nothing more is read; what was read already is refused with it. */
  private refuse(frame: string): void {
    this.refused.push(frame);
    if (this.refused.length > 1) return;
    this.socket.pause();
    this.context.refusals.take(() => {
      const frames = this.refused;
      this.refused = [];
      for (const one of frames) this.send(one);
      this.socket.resume();
      return frames.length;
    });
  }

  private say(channel: string, data?: unknown): void {
    this.send(JSON.stringify(data === undefined ? { channel } : { channel, data }));
  }

  private take(text: string | undefined): void {
    this.heard = true;
    if (this.closed) return;
    if (!this.context.allowMessage()) {
      this.drop(POLICY_VIOLATION, 'too many messages');
      return;
    }
    let message: JsonObject;
    try {
      message = asObject(parseJson(text ?? '', this.context.limits.depthMax), 'the message');
      this.obey(message, (text ?? '').length);
    } catch (error) {
      if (!isMalformed(error)) {
        this.context.onFault(error);
        this.drop(INTERNAL_ERROR, 'internal error');
        return;
      }
      this.say('error', `Error parsing JSON into valid websocket request: ${(text ?? 'a binary frame').slice(0, ECHO_MAX)}`);
    }
  }

  private obey(message: JsonObject, bytes: number): void {
    switch (textAt(message, 'method')) {
      case 'ping':
        this.say('pong');
        return;
      case 'subscribe':
        this.subscribe(message, objectAt(message, 'subscription'));
        return;
      case 'unsubscribe':
        this.unsubscribe(objectAt(message, 'subscription'));
        return;
      case 'post':
        this.post(naturalAt(message, 'id'), objectAt(message, 'request'), bytes);
        return;
      default:
        throw new MalformedRequest('an unknown method');
    }
  }

  private subscribe(message: JsonObject, subscription: JsonObject): void {
    const { hub, limits } = this.context;
    const echo = JSON.stringify(subscription);
    const key = subscriptionKey(subscription);
    if (this.subscriptions.has(key)) {
      this.say('error', `Already subscribed: ${echo}`);
      return;
    }
    const full = JSON.stringify({ method: 'subscribe', subscription });
    if (this.subscriptions.size >= limits.subscriptionsMax) {
      this.say('error', `Cannot track more than ${limits.subscriptionsMax} total subscriptions: ${full}`);
      return;
    }
    const name = fieldOf(subscription, 'user');
    const user = typeof name === 'string' ? name.toLowerCase() : undefined;
    const users = new Set([...this.subscriptions.values()].flatMap((held) => held.user ?? []));
    if (user !== undefined && !users.has(user) && users.size >= limits.usersMax) {
      this.say('error', `Cannot track more than ${limits.usersMax} total users: ${full}`);
      return;
    }
    try {
      const { frames, detach, feed, seq } = hub.attach(subscription, (frame) => this.send(frame), missedOf(message));
      this.subscriptions.set(key, { detach, user });
      this.send(JSON.stringify({ channel: 'subscriptionResponse', data: { method: 'subscribe', subscription }, seq, feed }));
      for (const frame of frames) this.send(frame);
    } catch (error) {
      if (!isMalformed(error)) throw error;
      this.say('error', `Invalid subscription ${echo}`);
    }
  }

  private unsubscribe(subscription: JsonObject): void {
    const key = subscriptionKey(subscription);
    const held = this.subscriptions.get(key);
    if (held === undefined) {
      this.say('error', `Already unsubscribed: ${JSON.stringify(subscription)}`);
      return;
    }
    held.detach();
    this.subscriptions.delete(key);
    this.say('subscriptionResponse', { method: 'unsubscribe', subscription });
  }

  private post(id: number, request: JsonObject, bytes: number): void {
    const type = textAt(request, 'type');
    if (this.posts >= this.context.limits.postsMax) {
      this.refuse(JSON.stringify({ channel: 'error', data: `too many pending post requests id=${id}` }));
      return;
    }
    this.posts++;
    this.context.post(type, fieldOf(request, 'payload'), bytes, (reply) => this.reply(id, reply));
  }

  private reply(id: number, { type, payload, height, isRefusal }: PostReply): void {
    this.posts--;
    const response = `{"type":"${type}","payload":${JSON.stringify(payload)}}`;
    const frame = `{"channel":"post","data":{"id":${id},"response":${response}}${height === undefined ? '' : `,"height":${height}`}}`;
    if (isRefusal) this.refuse(frame);
    else this.send(frame);
  }
}

/** What a client that comes back asks for, beyond the original. */
function missedOf(message: JsonObject): Missed | undefined {
  const fromSeq = optionalAt(message, 'fromSeq', naturalAt);
  const feed = optionalAt(message, 'feed', textAt);
  return fromSeq === undefined || feed === undefined ? undefined : { fromSeq, feed };
}

/** Why a connection has ended that this side did not end. */
export const CLIENT_CLOSED = 'closed by the client';
const CLOSE_WAIT_MS = 1000;
const ECHO_MAX = 1000;
