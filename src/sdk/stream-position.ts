/**
 * How far a subscription has come in the numbers of its feed, and what it has missed (docs/api-beyond.md).
 *
 * Invariant: every number of a feed, from where the subscription began, is delivered once, or part of a gap that was reported. Where a node
 * does not number its messages, a connection that was lost is a gap of unknown length.
 * Not here: sockets.
 */

export interface Gap {
  /** The first number that is missing; undefined: the node does not number messages. */
  readonly fromSeq: number | undefined;
  /** The last one; undefined: not known, the node has started the feed anew. */
  readonly toSeq: number | undefined;
}

export interface Arrival {
  /** `snapshot`: what stands so far, it has no number of its own. `duplicate`: it was delivered before. */
  readonly kind: 'message' | 'snapshot' | 'duplicate';
  readonly gap?: Gap;
}

export class StreamPosition {
  #feed: string | undefined;
  /** The number that comes next; undefined as long as none is known. */
  #next: number | undefined;
  #wasSubscribed = false;

  /** What to ask for beside the subscription, so that nothing is missed. */
  resume(): { readonly fromSeq?: number; readonly feed?: string } {
    return this.#feed === undefined || this.#next === undefined ? {} : { fromSeq: this.#next, feed: this.#feed };
  }

  /** The node has confirmed the subscription, for the first time or anew. */
  subscribed(feed: string | undefined, seq: number | undefined): Gap | undefined {
    const before = { feed: this.#feed, next: this.#next };
    const isFirst = !this.#wasSubscribed;
    this.#wasSubscribed = true;
    this.#feed = feed;
    this.#next = seq === undefined ? undefined : seq + 1;
    if (isFirst) return undefined;
    if (feed === undefined || seq === undefined) return { fromSeq: before.next, toSeq: undefined };
    if (feed !== before.feed || before.next === undefined) return { fromSeq: before.next, toSeq: undefined };
    if (seq >= before.next) return { fromSeq: before.next, toSeq: seq };
    // What was delivered before is not delivered again, should the node go further back than it was asked to.
    this.#next = before.next;
    return undefined;
  }

  arrived(seq: number | undefined): Arrival {
    if (seq === undefined) return { kind: 'message' };
    const next = this.#next;
    if (next === undefined) {
      this.#next = seq + 1;
      return { kind: 'message' };
    }
    if (seq === next - 1) return { kind: 'snapshot' };
    if (seq < next) return { kind: 'duplicate' };
    this.#next = seq + 1;
    return seq === next ? { kind: 'message' } : { kind: 'message', gap: { fromSeq: next, toSeq: seq - 1 } };
  }
}
