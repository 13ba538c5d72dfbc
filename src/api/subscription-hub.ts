/**
 * Feeds shared by everybody who has subscribed to the same thing: a message is made into text once, numbered, and kept for a while.
 *
 *   views ─▶ feed (numbers, the newest messages) ─▶ receivers
 *
 * Numbers (`seq`) are a feed's, not a connection's: who comes back within the time that a feed without receivers is kept can ask for what it
 * has missed (`fromSeq`). A snapshot carries the number of the last message that is in it.
 * Invariant: a receiver gets a snapshot, or the replay that it asked for, and then every message, each once and in order.
 * Not here: sockets, and how much a receiver may fall behind.
 */
import type { JsonObject } from './json-input.ts';
import type { StreamMessage, StreamsPort } from './views-port.ts';

export interface HubOptions {
  /** Messages of a feed that are kept for replay. */
  readonly replayMessages: number;
  /** How long a feed without receivers is kept. */
  readonly keepMs: number;
  /** Feeds without receivers that are kept at the same time. */
  readonly keptFeedsMax: number;
}

export type Receiver = (frame: string) => void;

export interface Attached {
  /** What to send first: a snapshot, or what was missed. */
  readonly frames: readonly string[];
  detach(): void;
}

/** Channels whose frames the original sends without an envelope. */
const BARE_CHANNELS = new Set(['explorerBlock', 'explorerTxs']);

interface Feed {
  readonly key: string;
  readonly receivers: Set<Receiver>;
  /** The newest messages, oldest first; the last one has number `seq`. */
  readonly kept: string[];
  seq: number;
  close: () => void;
  idle?: NodeJS.Timeout;
}

export class SubscriptionHub {
  private readonly source: StreamsPort;
  private readonly options: HubOptions;
  private readonly feeds = new Map<string, Feed>();
  private idleFeeds = 0;

  constructor(source: StreamsPort, options: HubOptions) {
    this.source = source;
    this.options = options;
  }

  /** Throws MalformedRequest. `fromSeq`: the first message that is wanted; a snapshot comes if it is not kept any more. */
  attach(subscription: JsonObject, receiver: Receiver, fromSeq?: number): Attached {
    const key = subscriptionKey(subscription);
    const { feed, frames } = this.feedOf(key, subscription, fromSeq);
    if (feed.idle !== undefined) {
      clearTimeout(feed.idle);
      delete feed.idle;
      this.idleFeeds--;
    }
    feed.receivers.add(receiver);
    return { frames, detach: () => this.detach(feed, receiver) };
  }

  /** Numbers of feeds and of receivers. */
  get counts(): { readonly feeds: number; readonly receivers: number } {
    let receivers = 0;
    for (const feed of this.feeds.values()) receivers += feed.receivers.size;
    return { feeds: this.feeds.size, receivers };
  }

  close(): void {
    for (const feed of this.feeds.values()) {
      clearTimeout(feed.idle);
      feed.close();
    }
    this.feeds.clear();
  }

  private feedOf(key: string, subscription: JsonObject, fromSeq: number | undefined): { feed: Feed; frames: string[] } {
    const found = this.feeds.get(key);
    if (found === undefined) return this.open(key, subscription);
    if (fromSeq !== undefined) {
      const missed = found.seq - fromSeq + 1;
      if (missed >= 0 && missed <= found.kept.length) {
        return { feed: found, frames: missed === 0 ? [] : found.kept.slice(-missed) };
      }
    }
    return { feed: found, frames: this.snapshot(found, subscription) };
  }

  private open(key: string, subscription: JsonObject): { feed: Feed; frames: string[] } {
    const feed: Feed = { key, receivers: new Set(), kept: [], seq: 0, close: () => {} };
    const frames: string[] = [];
    let opening = true;
    feed.close = this.source.subscribe(subscription, (message) => {
      if (opening) frames.push(frameOf(message, feed.seq));
      else this.publish(feed, message);
    });
    opening = false;
    this.feeds.set(key, feed);
    return { feed, frames };
  }

  /** Asks the source once more: between blocks its snapshot is what the feed's last message has led to. */
  private snapshot(feed: Feed, subscription: JsonObject): string[] {
    const frames: string[] = [];
    this.source.subscribe(subscription, (message) => frames.push(frameOf(message, feed.seq)))();
    return frames;
  }

  private publish(feed: Feed, message: StreamMessage): void {
    feed.seq++;
    const frame = frameOf(message, feed.seq);
    feed.kept.push(frame);
    if (feed.kept.length > this.options.replayMessages) feed.kept.shift();
    for (const receiver of feed.receivers) receiver(frame);
  }

  private detach(feed: Feed, receiver: Receiver): void {
    if (!feed.receivers.delete(receiver) || feed.receivers.size > 0 || feed.idle !== undefined) return;
    if (this.idleFeeds >= this.options.keptFeedsMax) {
      this.drop(feed);
      return;
    }
    this.idleFeeds++;
    feed.idle = setTimeout(() => {
      this.idleFeeds--;
      this.drop(feed);
    }, this.options.keepMs);
    feed.idle.unref();
  }

  private drop(feed: Feed): void {
    feed.close();
    if (this.feeds.get(feed.key) === feed) this.feeds.delete(feed.key);
  }
}

function frameOf({ channel, data, height }: StreamMessage, seq: number): string {
  return JSON.stringify(BARE_CHANNELS.has(channel) ? data : { channel, data, seq, height });
}

/** The same for the same subscription, whatever the order of its keys and the case of its addresses. */
export function subscriptionKey(subscription: JsonObject): string {
  const entries = Object.entries(subscription)
    .filter(([key, value]) => key !== 'fromSeq' && value !== null && value !== undefined)
    .map(([key, value]): [string, unknown] => [key, typeof value === 'string' && value.startsWith('0x') ? value.toLowerCase() : value])
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(entries);
}
