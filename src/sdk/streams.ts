/**
 * A client's subscriptions, spread over as few connections as can be: two that a message could belong to both of have one each.
 *
 * Connections are made when the first subscription needs one, and closed behind the last.
 */
import { HeddleError } from '../base/errors.ts';
import { type PlatformSocket, type SocketTiming, type StreamHandlers, StreamSocket } from './stream-socket.ts';
import type { StreamData, StreamName, Subscription } from './stream-table.ts';

export interface StreamsOptions {
  readonly url: string;
  readonly open: (url: string) => PlatformSocket;
  readonly timing?: Partial<SocketTiming>;
  readonly onConnected?: (() => void) | undefined;
  readonly onDisconnected?: (() => void) | undefined;
}

export interface ActiveSubscription {
  /** Resolves when the node has confirmed it for the first time; rejects when it is refused or closed before. */
  readonly ready: Promise<void>;
  close(): void;
}

/** As many as a node takes from one address, by the original's rules. */
const CONNECTIONS_MAX = 10;
const TIMING: SocketTiming = { pulseMs: 15_000, retryMsMin: 250, retryMsMax: 10_000 };

export class Streams {
  readonly #options: StreamsOptions;
  readonly #sockets = new Set<StreamSocket>();
  readonly #closers = new Set<() => void>();

  constructor(options: StreamsOptions) {
    this.#options = options;
  }

  /** Throws TOO_MANY_CONNECTIONS. */
  subscribe<N extends StreamName>(subscription: Subscription<N>, handlers: StreamHandlers<StreamData<N>>): ActiveSubscription {
    const general = subscription as Subscription;
    const socket = this.#socketFor(general);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    promise.catch(() => {}); // Who does not look at `ready` has onRefused.
    const remove = socket.add(
      general,
      {
        onMessage: handlers.onMessage as StreamHandlers<unknown>['onMessage'],
        onGap: (gap) => handlers.onGap?.(gap),
        onRefused: (error) => {
          this.#closers.delete(close);
          reject(error);
          this.#sweep();
          handlers.onRefused?.(error);
        },
      },
      resolve,
    );
    const close = (): void => {
      this.#closers.delete(close);
      remove();
      reject(new HeddleError('CLOSED', 'the subscription was closed before it was confirmed'));
      this.#sweep();
    };
    this.#closers.add(close);
    return { ready: promise, close };
  }

  /** Ends all subscriptions and connections. */
  close(): void {
    for (const close of [...this.#closers]) close();
  }

  #socketFor(subscription: Subscription): StreamSocket {
    const free = [...this.#sockets].find((socket) => !socket.has(subscription));
    if (free !== undefined) return free;
    if (this.#sockets.size >= CONNECTIONS_MAX) {
      throw new HeddleError('TOO_MANY_CONNECTIONS', `${CONNECTIONS_MAX} subscriptions that look alike are open: close some of them`);
    }
    const { url, open, timing, onConnected, onDisconnected } = this.#options;
    const socket = new StreamSocket({ url, open, timing: { ...TIMING, ...timing }, onConnected, onDisconnected });
    this.#sockets.add(socket);
    return socket;
  }

  #sweep(): void {
    for (const socket of this.#sockets) if (socket.subscriptionCount === 0) this.#sockets.delete(socket);
  }
}
