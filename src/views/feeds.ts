/**
 * The feeds behind WebSocket subscriptions (protocol, section 9 and appendix D): a snapshot, then messages as blocks are taken in.
 *
 * Those who listen to the same thing share a topic, whose messages are made once. A block asks only the topics of accounts and markets that
 * it has touched, and those of all markets; without listeners it costs nothing.
 * Not here: sockets, the framing of messages, their sequence numbers, and limits on how much one client may listen to.
 */

import type { Address } from '../ledger/transactions.ts';
import type { BlockFacts } from './facts.ts';
import { type BlockNews, newsOf } from './feed-news.ts';
import { type Topic, topicOf } from './feed-topics.ts';
import { RequestFields } from './request.ts';
import type { Touched } from './state-mirror.ts';
import type { Views } from './views.ts';

/** `{channel, data}` is what goes over the wire; `height` is the block that the data belongs to. Shared: not to be changed. */
export interface FeedMessage {
  readonly channel: string;
  readonly data: unknown;
  readonly height: number;
}

/** Must not throw. */
export type FeedSink = (message: FeedMessage) => void;

export interface FeedSubscription {
  /** The request with its defaults filled in, as the venue echoes it. */
  readonly subscription: Readonly<Record<string, unknown>>;
  /** The same for equal subscriptions: two of them on one connection are one. */
  readonly key: string;
  close(): void;
}

interface Listened {
  readonly topic: Topic;
  readonly sinks: Set<FeedSink>;
}

const NOBODY_LISTENS: ReadonlySet<Listened> = new Set();

export class Feeds {
  private readonly views: Views;
  private readonly byKey = new Map<string, Listened>();
  private readonly byUser = new Map<Address, Set<Listened>>();
  private readonly byMarket = new Map<number, Set<Listened>>();
  /** Topics of all markets. */
  private readonly global = new Set<Listened>();
  /** Topics whose last message was too recent for another. */
  private readonly late = new Set<Listened>();

  constructor(views: Views) {
    this.views = views;
  }

  /** Throws a MalformedRequest. */
  subscribe(request: unknown, sink: FeedSink): FeedSubscription {
    const { views } = this;
    const topic = topicOf(views, new RequestFields(request));
    const key = JSON.stringify(topic.subscription);
    const listened = this.byKey.get(key) ?? this.open(key, topic);
    listened.sinks.add(sink);
    for (const data of listened.topic.snapshot(views)) sink({ channel: topic.channel, data, height: views.height });
    return {
      subscription: topic.subscription,
      key,
      close: () => {
        if (listened.sinks.delete(sink) && listened.sinks.size === 0) this.close(key, listened);
      },
    };
  }

  publish(facts: BlockFacts, touched: Touched): void {
    if (this.byKey.size === 0) return;
    const news = newsOf(this.views, facts, touched, this.byUser);
    for (const listened of this.interested(news)) this.send(listened, news);
    for (const listened of this.late) if (listened.topic.delay?.(this.views.timeMs) === 0) this.send(listened, news);
  }

  /** What was held back is sent now. */
  flush(): void {
    for (const { topic, sinks } of this.late) {
      topic.sent?.(this.views.timeMs);
      this.deliver(topic, sinks, topic.snapshot(this.views));
    }
    this.late.clear();
  }

  private *interested(news: BlockNews): Generator<Listened, void, undefined> {
    yield* this.global;
    for (const market of news.markets) yield* this.byMarket.get(market) ?? NOBODY_LISTENS;
    for (const user of news.users.keys()) yield* this.byUser.get(user) ?? NOBODY_LISTENS;
  }

  private send(listened: Listened, news: BlockNews): void {
    const { topic, sinks } = listened;
    if (topic.delay !== undefined) {
      if (!topic.concerns(news) && !this.late.has(listened)) return;
      if (topic.delay(this.views.timeMs) > 0) {
        this.late.add(listened);
        return;
      }
      this.late.delete(listened);
      topic.sent?.(this.views.timeMs);
      this.deliver(topic, sinks, topic.snapshot(this.views));
    } else if (topic.concerns(news)) this.deliver(topic, sinks, topic.update(this.views, news));
  }

  private deliver(topic: Topic, sinks: ReadonlySet<FeedSink>, messages: Iterable<unknown>): void {
    for (const data of messages) {
      const message = { channel: topic.channel, data, height: this.views.height };
      for (const sink of [...sinks]) sink(message);
    }
  }

  private open(key: string, topic: Topic): Listened {
    const listened = { topic, sinks: new Set<FeedSink>() };
    this.byKey.set(key, listened);
    this.setOf(topic).add(listened);
    return listened;
  }

  private close(key: string, listened: Listened): void {
    const { topic } = listened;
    this.byKey.delete(key);
    this.late.delete(listened);
    const set = this.setOf(topic);
    set.delete(listened);
    if (set.size > 0) return;
    if (topic.user !== undefined) this.byUser.delete(topic.user);
    else if (topic.market !== undefined) this.byMarket.delete(topic.market);
  }

  private setOf({ user, market }: Topic): Set<Listened> {
    if (user !== undefined) return setIn(this.byUser, user);
    return market === undefined ? this.global : setIn(this.byMarket, market);
  }
}

function setIn<K>(map: Map<K, Set<Listened>>, key: K): Set<Listened> {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = new Set<Listened>();
  map.set(key, made);
  return made;
}
