/**
 * A thread that runs a fixed integer loop when told to, and says how long it took. Part of calibration.ts.
 *
 *   shared words (i32)                       written by
 *    0  round: what is to be run next        main thread
 *    1  threads of this round that are ready threads, atomic
 *    2  threads that have finished           threads, atomic
 *    3  threads taking part in the round     main thread
 *    4  thread that runs alone, -1 = all     main thread
 */
import { readlinkSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';

const { shared, times, id } = workerData as { shared: SharedArrayBuffer; times: SharedArrayBuffer; id: number };
const words = new Int32Array(shared);
const millis = new Float64Array(times);
/** About 50 ms. */
const ITERATIONS = 40_000_000;

function spin(seed: number): number {
  let x = seed | 0;
  for (let i = 0; i < ITERATIONS; i++) x = (Math.imul(x, 1664525) + 1013904223) | 0;
  return x;
}

function threadNumber(): number | undefined {
  try {
    return Number(readlinkSync('/proc/thread-self').split('/').pop());
  } catch {
    return undefined;
  }
}

let sink = spin(id);
parentPort?.postMessage(threadNumber() ?? null);
for (let round = 0; ; ) {
  Atomics.wait(words, 0, round);
  round = Atomics.load(words, 0);
  if (round < 0) break;
  const alone = Atomics.load(words, 4);
  if (alone !== -1 && alone !== id) continue;
  Atomics.add(words, 1, 1);
  while (Atomics.load(words, 1) < Atomics.load(words, 3)) sink ^= 1;
  const started = performance.now();
  sink = spin(sink);
  millis[id] = performance.now() - started;
  Atomics.add(words, 2, 1);
  Atomics.notify(words, 2);
}
