/**
 * One WebSocket to a node, with its subscriptions: connected again whenever it is lost, for as long as there are any.
 *
 * Invariant: after every connection the node is asked for all subscriptions, each from where it had come to; a handler is called for one
 * message at a time, in the order of the connection.
 * A connection that has been silent for two pulses, or on which a subscription was not answered for as long, is given up, closed or not: a peer that is
 * gone does not say so.
 * Not here: which subscriptions can share a connection (streams.ts); numbers and gaps (stream-position.ts).
 */
import { HeddleError } from '../base/errors.ts';
import type { Gap } from './stream-position.ts';
import { StreamPosition } from './stream-position.ts';
import { routeOfMessage, routeOfSubscription, type Subscription, subscriptionKey } from './stream-table.ts';

/** What is used of the platform's WebSocket. */
export interface PlatformSocket {
  send(text: string): void;
  close(): void;
  addEventListener(type: 'open' | 'close' | 'error', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
}

export interface SocketTiming {
  /** Between two pulses: pings, and looks whether anything was heard. */
  readonly pulseMs: number;
  /** Before the first attempt to connect again; twice as long before each further one, up to the second number. */
  readonly retryMsMin: number;
  readonly retryMsMax: number;
}

export interface SocketOptions {
  /** ws:// or wss:// */
  readonly url: string;
  readonly open: (url: string) => PlatformSocket;
  readonly timing: SocketTiming;
  readonly onConnected?: (() => void) | undefined;
  readonly onDisconnected?: (() => void) | undefined;
}

export interface MessageInfo {
  /** In the feed; undefined for a node that does not number. */
  readonly seq: number | undefined;
  /** Of the block that it is of. */
  readonly height: number | undefined;
  /** What stands so far, in place of the messages that led there. */
  readonly isSnapshot: boolean;
}

export interface StreamHandlers<D> {
  readonly onMessage: (data: D, info: MessageInfo) => void;
  /** Messages are missing: whatever was built from them has to be asked for again. Comes before the message behind the gap. */
  readonly onGap?: (gap: Gap) => void;
  /** The node refuses the subscription; it has ended. */
  readonly onRefused?: (error: HeddleError) => void;
}

interface Entry {
  readonly subscription: Subscription;
  readonly key: string;
  readonly route: string;
  readonly position: StreamPosition;
  readonly handlers: StreamHandlers<unknown>;
  readonly onConfirmed: () => void;
  /** Pulses since the node was asked for it; undefined: it has answered, or was not asked yet. */
  waited: number | undefined;
}

/** A node that has not answered a subscription for so many pulses has not heard it, whatever else it says. */
const PULSES_MAX = 2;

export class StreamSocket {
  readonly #options: SocketOptions;
  readonly #entries = new Set<Entry>();
  #socket: PlatformSocket | undefined;
  #isOpen = false;
  #isHeard = false;
  #failures = 0;
  #pulse: ReturnType<typeof setInterval> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(options: SocketOptions) {
    this.#options = options;
  }

  get subscriptionCount(): number {
    return this.#entries.size;
  }

  /** Is there a subscription whose messages look like those of this one? */
  has(subscription: Subscription): boolean {
    const route = routeOfSubscription(subscription);
    return [...this.#entries].some((entry) => entry.route === route);
  }

  /** `onConfirmed`: the node has taken it; called again after each connection. Returns what ends the subscription. */
  add(subscription: Subscription, handlers: StreamHandlers<unknown>, onConfirmed: () => void): () => void {
    const entry: Entry = {
      subscription,
      key: subscriptionKey(subscription),
      route: routeOfSubscription(subscription),
      position: new StreamPosition(),
      handlers,
      onConfirmed,
      waited: undefined,
    };
    this.#entries.add(entry);
    if (this.#isOpen) this.#ask(entry);
    else if (this.#socket === undefined && this.#retry === undefined) this.#connect();
    return () => this.#remove(entry);
  }

  close(): void {
    this.#entries.clear();
    this.#hangUp();
  }

  #remove(entry: Entry): void {
    if (!this.#entries.delete(entry)) return;
    if (this.#entries.size === 0) this.#hangUp();
    else if (this.#isOpen) this.#send({ method: 'unsubscribe', subscription: entry.subscription });
  }

  // --- The connection -------------------------------------------------------------------------------------------------------------------

  #connect(): void {
    this.#retry = undefined;
    let socket: PlatformSocket;
    try {
      socket = this.#options.open(this.#options.url);
    } catch (cause) {
      // A text that is no address: no attempt will succeed.
      const error = new HeddleError('INVALID_URL', `${this.#options.url} is not an address of a WebSocket`, { cause });
      queueMicrotask(() => {
        for (const entry of [...this.#entries]) this.#refuse(entry, error);
      });
      return;
    }
    this.#socket = socket;
    const isCurrent = (): boolean => this.#socket === socket;
    socket.addEventListener('open', () => isCurrent() && this.#opened());
    socket.addEventListener('message', ({ data }) => isCurrent() && this.#heard(data));
    socket.addEventListener('error', () => isCurrent() && this.#lost());
    socket.addEventListener('close', () => isCurrent() && this.#lost());
    // Also while it connects: an attempt that nothing comes of is given up like a connection.
    this.#isHeard = true;
    this.#pulse = setInterval(() => this.#beat(), this.#options.timing.pulseMs);
  }

  #opened(): void {
    this.#isOpen = true;
    this.#isHeard = true;
    this.#options.onConnected?.();
    for (const entry of [...this.#entries]) this.#ask(entry);
  }

  #beat(): void {
    if (!this.#isHeard || this.#isUnanswered()) {
      this.#lost();
      return;
    }
    this.#isHeard = false;
    if (this.#isOpen) this.#send({ method: 'ping' });
  }

  #isUnanswered(): boolean {
    let isUnanswered = false;
    for (const entry of this.#entries) if (entry.waited !== undefined && entry.waited++ >= PULSES_MAX) isUnanswered = true;
    return isUnanswered;
  }

  /** Leaves the socket behind, whatever state it is in. */
  #drop(): void {
    const socket = this.#socket;
    const wasOpen = this.#isOpen;
    clearInterval(this.#pulse);
    this.#socket = undefined;
    this.#isOpen = false;
    socket?.close();
    if (wasOpen) this.#options.onDisconnected?.();
  }

  #lost(): void {
    this.#drop();
    if (this.#entries.size === 0) return;
    const { retryMsMin, retryMsMax } = this.#options.timing;
    const delayMs = Math.min(retryMsMax, retryMsMin * 2 ** this.#failures);
    this.#failures++;
    // Clients that lost the same node do not come back all at once.
    this.#retry = setTimeout(() => this.#connect(), delayMs * (0.5 + Math.random() / 2));
  }

  #hangUp(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#drop();
  }

  // --- Messages -------------------------------------------------------------------------------------------------------------------------

  #send(message: unknown): void {
    try {
      this.#socket?.send(JSON.stringify(message));
    } catch {
      // The socket is closing; its event follows.
    }
  }

  #ask(entry: Entry): void {
    const { subscription, position } = entry;
    entry.waited = 0;
    this.#send({ method: 'subscribe', subscription, ...position.resume() });
  }

  #heard(text: unknown): void {
    this.#isHeard = true;
    this.#failures = 0;
    const message = parse(text);
    if (message === undefined || typeof message.channel !== 'string') return;
    const { channel, data } = message;
    if (channel === 'pong' || channel === 'post') return;
    if (channel === 'subscriptionResponse') this.#confirmed(data, message);
    else if (channel === 'error') this.#refused(data);
    else this.#arrived(channel, data, message);
  }

  #confirmed(data: unknown, { feed, seq }: Message): void {
    const { method, subscription } = Object(data) as { method?: unknown; subscription?: unknown };
    if (method !== 'subscribe') return;
    const entry = this.#entryOf(subscription);
    if (entry === undefined) return;
    entry.waited = undefined;
    const gap = entry.position.subscribed(typeof feed === 'string' ? feed : undefined, naturalOr(seq));
    if (gap !== undefined) this.#tell(entry, () => entry.handlers.onGap?.(gap));
    this.#tell(entry, entry.onConfirmed);
  }

  /** The text of an error ends with what was asked for. */
  #refused(data: unknown): void {
    const text = String(data);
    const asked = parse(text.slice(text.indexOf('{')));
    const entry = this.#entryOf(asked?.subscription ?? asked);
    if (entry === undefined || text.startsWith('Already')) return;
    this.#refuse(entry, new HeddleError('SUBSCRIPTION_REFUSED', text));
  }

  #refuse(entry: Entry, error: HeddleError): void {
    this.#entries.delete(entry);
    guarded(() => entry.handlers.onRefused?.(error));
    if (this.#entries.size === 0) this.#hangUp();
  }

  #arrived(channel: string, data: unknown, { seq, height }: Message): void {
    const route = routeOfMessage(channel, data);
    const entry = [...this.#entries].find((one) => one.route === route);
    if (entry === undefined) return;
    const number = naturalOr(seq);
    const { kind, gap } = entry.position.arrived(number);
    if (kind === 'duplicate') return;
    if (gap !== undefined) this.#tell(entry, () => entry.handlers.onGap?.(gap));
    const isSnapshot = kind === 'snapshot' || (Object(data) as { isSnapshot?: unknown }).isSnapshot === true;
    this.#tell(entry, () => entry.handlers.onMessage(data, { seq: number, height: naturalOr(height), isSnapshot }));
  }

  #entryOf(subscription: unknown): Entry | undefined {
    if (typeof subscription !== 'object' || subscription === null) return undefined;
    const { fromSeq: _, ...asked } = subscription as Record<string, unknown>;
    // A node may fill in what was left out: then it is the one whose fields are all there.
    const key = subscriptionKey(asked);
    const entries = [...this.#entries];
    return (
      entries.find((entry) => entry.key === key) ?? entries.find((entry) => subscriptionKey({ ...asked, ...entry.subscription }) === key)
    );
  }

  #tell(entry: Entry, call: () => void): void {
    // A handler may have ended the subscription.
    if (this.#entries.has(entry)) guarded(call);
  }
}

/** Calls the user's code. What it throws is the user's to see, and must not stop what comes behind. */
function guarded(call: () => void): void {
  try {
    call();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

interface Message {
  readonly [field: string]: unknown;
}

function parse(text: unknown): Message | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Message) : undefined;
  } catch {
    return undefined;
  }
}

function naturalOr(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
}
