/**
 * Lines of a made-up recording for tests: a small book that walks, with trades before the updates that contain them, updates received
 * before the snapshot, and a second snapshot at the end.
 */
import { Random } from '../base/random.ts';
import type { Venue } from './recording.ts';

export interface SampleOptions {
  readonly seed?: number;
  readonly venue?: Venue;
  /** Depth updates; the first three come before the snapshot, which contains the first and the second. */
  readonly updates?: number;
}

const START_MICROS = 1_723_161_255_000_000;
const CENTRE_TICKS = 6000;
const REACH_TICKS = 30;

export function sampleRecording({ seed = 1, venue = 'perpetual', updates = 100 }: SampleOptions = {}): string[] {
  const random = new Random(seed);
  const sides = { bids: new Map<number, number>(), asks: new Map<number, number>() };
  const lines: string[] = [];
  let micros = START_MICROS;
  let updateId = 1000;
  let previousId = updateId;
  let centre = CENTRE_TICKS;
  let snapshot: object | undefined;

  const write = (line: object): void => {
    micros += 1 + random.below(100_000);
    lines.push(`${micros}000 ${JSON.stringify(line)}`);
  };
  const stream = (name: string, data: object): void => write({ stream: `btcusdt@${name}`, data });
  const levels = (side: Map<number, number>): [string, string][] => [...side].map(([ticks, lots]) => [price(ticks), size(lots)]);
  const takeSnapshot = (): object => ({ lastUpdateId: updateId, bids: levels(sides.bids), asks: levels(sides.asks) });

  for (let update = 0; update < updates; update++) {
    if (update > 0 && random.chance(0.5)) {
      const takerSells = random.chance(0.5);
      const ticks = takerSells ? centre - 1 - random.below(3) : centre + 1 + random.below(3);
      stream('trade', { e: 'trade', p: price(ticks), q: size(1 + random.below(20_000)), m: takerSells });
    }
    if (random.chance(0.3)) centre += random.below(7) - 3;
    const b = changes(sides.bids, random, (distance) => centre - distance, update === 0);
    const a = changes(sides.asks, random, (distance) => centre + distance, update === 0);
    const U = updateId + 1;
    updateId += 1 + random.below(50);
    stream('depth@0ms', { e: 'depthUpdate', U, u: updateId, ...(venue === 'perpetual' ? { pu: previousId } : {}), b, a });
    previousId = updateId;
    if (random.chance(0.2)) stream('bookTicker', { b: price(centre - 1), B: '1', a: price(centre + 1), A: '1' });
    if (update === 1) snapshot = takeSnapshot();
    if (update === 2) write(snapshot as object);
  }
  write(takeSnapshot());
  return lines;
}

/** Moves a side to the centre's new place: levels on the wrong side go, some change, all are listed as a depth update lists them. */
function changes(side: Map<number, number>, random: Random, at: (distance: number) => number, all: boolean): [string, string][] {
  const changed = new Map<number, number>();
  const outward = Math.sign(at(1) - at(0));
  for (const ticks of side.keys()) if ((ticks - at(0)) * outward <= 0) changed.set(ticks, 0);
  const count = all ? REACH_TICKS : random.below(8);
  for (let i = 0; i < count; i++)
    changed.set(at(1 + (all ? i : random.below(REACH_TICKS))), random.chance(0.25) && !all ? 0 : 1 + random.below(30_000));
  for (const [ticks, lots] of changed) {
    if (lots === 0) side.delete(ticks);
    else side.set(ticks, lots);
  }
  return [...changed].map(([ticks, lots]) => [price(ticks), size(lots)]);
}

function price(ticks: number): string {
  return (ticks / 10).toFixed(2);
}

function size(lots: number): string {
  return (lots / 1000).toFixed(3);
}
