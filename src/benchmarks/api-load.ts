/**
 * Sends requests over connections and takes the times of their answers: as many as are answered (closed), or at planned times (open).
 *
 * Open: a time is taken from when the request was due, not from when it could be sent. Where no connection can take another request, the ones that are
 * due wait, or are given up if the load is meant to be more than the node takes.
 * Invariant: a request that the node has refused is sent again later, since nothing of it was used up; one that was taken is not.
 */
import type { AnswerKind, Connection, WireRequest } from './api-connections.ts';
import { quantile } from './statistics.ts';

export interface LoadPlan {
  readonly seconds: number;
  /** Of them at the start, not counted. */
  readonly warmUpSeconds: number;
  /** Requests that a connection may have under way. */
  readonly outstanding: number;
  /** Requests a second; without it as many as are answered. */
  readonly perSecond?: number;
  /** Requests that are due and find no connection are given up. */
  readonly givesUp?: boolean;
}

export interface LoadResult {
  /** In requests, from the end of the warm-up to the end: those that were due then, or, where some are given up, answers that came then. */
  readonly due: number;
  readonly answers: Readonly<Record<AnswerKind, number>>;
  readonly givenUp: number;
  readonly seconds: number;
  /** Of those that were accepted, in ms. */
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  /** An answer of each kind, to look at. */
  readonly samples: Readonly<Partial<Record<AnswerKind, string>>>;
}

const TICK_MS = 1;
/** For what is still under way at the end. */
const DRAIN_MS = 30_000;

export class Load {
  private readonly connections: readonly Connection[];
  private readonly plan: LoadPlan;
  private readonly supply: () => WireRequest;
  private readonly refused: WireRequest[] = [];
  private readonly latencies: number[] = [];
  private readonly answers: Record<AnswerKind, number> = { accepted: 0, ruled: 0, refused: 0, lost: 0 };
  private readonly samples: Partial<Record<AnswerKind, string>> = {};
  private due = 0;
  private givenUp = 0;
  private underWay = 0;
  private from = 0;
  private until = 0;

  /** `supply`: requests that were not sent before. */
  constructor(connections: readonly Connection[], plan: LoadPlan, supply: () => WireRequest) {
    this.connections = connections;
    this.plan = plan;
    this.supply = supply;
  }

  /** `unused`: what the node has refused, and nobody has sent again. */
  async run(): Promise<{ readonly result: LoadResult; readonly unused: readonly WireRequest[] }> {
    const { seconds, warmUpSeconds, perSecond } = this.plan;
    const started = performance.now();
    this.from = started + warmUpSeconds * 1000;
    this.until = started + seconds * 1000;
    if (perSecond === undefined) await this.closed();
    else await this.open(started, perSecond);
    const drained = performance.now() + DRAIN_MS;
    while (this.underWay > 0 && performance.now() < drained) await tick();
    const at = (share: number): number => (this.latencies.length === 0 ? Number.NaN : quantile(this.latencies, share));
    const { due, answers, givenUp, samples } = this;
    const times = { p50: at(0.5), p99: at(0.99), p999: at(0.999) };
    return { result: { due, answers, givenUp, seconds: seconds - warmUpSeconds, ...times, samples }, unused: this.refused };
  }

  private async closed(): Promise<void> {
    const again = (connection: Connection): void => {
      const now = performance.now();
      if (now < this.until) this.send(connection, now, again);
    };
    for (const connection of this.connections) for (let i = 0; i < this.plan.outstanding; i++) again(connection);
    while (performance.now() < this.until) await tick();
  }

  private async open(started: number, perSecond: number): Promise<void> {
    const { givesUp, outstanding } = this.plan;
    // Every connection as often as it has room.
    const free = Array.from({ length: outstanding }, () => this.connections).flat();
    const dueAt = (i: number): number => started + (i / perSecond) * 1000;
    const planned: number[] = [];
    let next = 0;
    const dispatch = (): void => {
      while (next < planned.length) {
        const connection = free.pop();
        if (connection === undefined) return;
        this.send(connection, planned[next++] as number, answered);
      }
    };
    const answered = (connection: Connection): void => {
      free.push(connection);
      dispatch();
    };
    for (let now = started, count = 0; now < this.until; now = performance.now()) {
      for (let at = dueAt(count); at <= now; at = dueAt(++count)) {
        if (this.counts(at)) this.due++;
        planned.push(at);
      }
      dispatch();
      if (givesUp) {
        for (; next < planned.length; next++) if (this.counts(planned[next] as number)) this.givenUp++;
      }
      await tick();
    }
    // What was due and not sent is late, however late it will be.
    while (next < planned.length) await tick();
  }

  private counts(at: number): boolean {
    return at >= this.from && at < this.until;
  }

  private send(connection: Connection, dueAt: number, then: (connection: Connection) => void): void {
    const request = this.refused.shift() ?? this.supply();
    this.underWay++;
    connection.send(request, (kind, text) => {
      this.underWay--;
      const now = performance.now();
      if (kind === 'refused') this.refused.push(request);
      this.samples[kind] ??= text.slice(0, 400);
      // A rate is what comes back in the time; a latency is of what was due in it.
      const { perSecond, givesUp } = this.plan;
      if (this.counts(perSecond === undefined || givesUp ? now : dueAt)) {
        this.answers[kind]++;
        if (kind === 'accepted') this.latencies.push(now - dueAt);
      }
      if (kind !== 'lost') then(connection);
    });
  }
}

function tick(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, TICK_MS));
}
