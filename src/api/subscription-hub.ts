/**
 * Feeds shared by everybody who has subscribed to the same thing: a message is made into text once, numbered, and kept for a while.
 *
 *   views ─▶ feed (numbers, the newest messages) ─▶ receivers
 *
 * Numbers (`seq`) are a feed's, not a connection's: who comes back within the time that a feed without receivers is kept can ask for what it
 * has missed (`fromSeq`, with the name of the feed that the number is of). A snapshot carries the number of the last message that is in it
 * (docs/api-beyond.md).
 * Invariant: a receiver gets a snapshot, or the replay that it asked for, and then every message, each once and in order.
 * Not here: sockets, and how much a receiver may fall behind.
 */
import { randomBytes } from 'node:crypto';
import type { JsonObject } from './json-input.ts';
import type { StreamMessage, StreamsPort } from './streams-port.ts';

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
  /** Names this instance of the feed. */
  readonly feed: string;
  /** The number before that of the first message that follows. */
  readonly seq: number;
  detach(): void;
}

/** What a client that comes back says it has. */
export interface Missed {
  readonly feed: string;
  /** The first message that is wanted. */
  readonly fromSeq: number;
}

/** Channels whose frames the original sends without an envelope. */
const BARE_CHANNELS = new Set(['explorerBlock', 'explorerTxs']);

interface Feed {
  readonly key: string;
  readonly name: string;
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
  /** No other run of a node has it. */
  private readonly run = randomBytes(RUN_BYTES).toString('hex');
  private opened = 0;
  private idleFeeds = 0;

  constructor(source: StreamsPort, options: HubOptions) {
    this.source = source;
    this.options = options;
  }

  /** Throws MalformedRequest. A snapshot comes where nothing was `missed`, or it is not kept any more. */
  attach(subscription: JsonObject, receiver: Receiver, missed?: Missed): Attached {
    const key = subscriptionKey(subscription);
    const found = this.feeds.get(key);
    const { feed, frames } = found === undefined ? this.open(key, subscription) : this.join(found, subscription, missed);
    if (feed.idle !== undefined) {
      clearTimeout(feed.idle);
      delete feed.idle;
      this.idleFeeds--;
    }
    feed.receivers.add(receiver);
    const isReplay = found !== undefined && missed !== undefined && replayed(found, missed) !== undefined;
    return { frames, feed: feed.name, seq: isReplay ? missed.fromSeq - 1 : feed.seq, detach: () => this.detach(feed, receiver) };
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

  private join(feed: Feed, subscription: JsonObject, missed: Missed | undefined): { feed: Feed; frames: readonly string[] } {
    const replay = missed === undefined ? undefined : replayed(feed, missed);
    return { feed, frames: replay ?? this.snapshot(feed, subscription) };
  }

  private open(key: string, subscription: JsonObject): { feed: Feed; frames: string[] } {
    const feed: Feed = { key, name: `${this.run}-${++this.opened}`, receivers: new Set(), kept: [], seq: 0, close: () => {} };
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

/** Undefined: not of this feed, or not kept any more. */
function replayed({ name, seq, kept }: Feed, missed: Missed): readonly string[] | undefined {
  const count = seq - missed.fromSeq + 1;
  if (missed.feed !== name || count < 0 || count > kept.length) return undefined;
  return count === 0 ? [] : kept.slice(-count);
}

function frameOf({ channel, data, height }: StreamMessage, seq: number): string {
  return JSON.stringify(BARE_CHANNELS.has(channel) ? data : { channel, data, seq, height });
}

/** The same for the same subscription, whatever the order of its keys and the case of its addresses. */
export function subscriptionKey(subscription: JsonObject): string {
  const entries = Object.entries(subscription)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([key, value]): [string, unknown] => [key, typeof value === 'string' && value.startsWith('0x') ? value.toLowerCase() : value])
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(entries);
}

const RUN_BYTES = 6;
