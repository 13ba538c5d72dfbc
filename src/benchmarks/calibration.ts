/**
 * Is the machine quiet enough to believe a parallel measurement? Two busy loops, each pinned to a processor of its own, run alone and
 * at once; on a quiet machine with two full cores both take the same time.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { median } from './statistics.ts';

/** Above this ratio a run does not count. */
export const CALIBRATION_LIMIT = 1.1;
const THREADS = 2;
/** Of util-linux; threads stay unpinned where it is missing. */
const PIN_COMMAND = 'taskset';
const REPETITIONS = 5;

export interface Calibration {
  /** Time of both loops at once (the slower one) divided by the time of one alone (the fastest seen). 1.0 = quiet. */
  readonly ratio: number;
  /** False where threads cannot be pinned: the ratio is then the scheduler's as well. */
  readonly pinned: boolean;
}

export async function calibrate(): Promise<Calibration> {
  const shared = new Int32Array(new SharedArrayBuffer(5 * 4));
  const times = new Float64Array(new SharedArrayBuffer(THREADS * 8));
  const workers = Array.from(
    { length: THREADS },
    (_, id) =>
      new Worker(new URL('./calibration-loop.ts', import.meta.url), { workerData: { shared: shared.buffer, times: times.buffer, id } }),
  );
  try {
    const threads = await Promise.all(workers.map(ready));
    const pinned = pin(threads);
    const alone: number[] = [];
    const both: number[] = [];
    for (let i = 0; i < REPETITIONS; i++) {
      for (let id = 0; id < THREADS; id++) {
        await round(shared, id);
        alone.push(times[id] as number);
      }
      await round(shared, -1);
      both.push(Math.max(...times));
    }
    return { ratio: calibrationRatio(alone, both), pinned };
  } finally {
    Atomics.store(shared, 0, -1);
    Atomics.notify(shared, 0);
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

/** The fastest time alone is what the machine can do; the median of the slower loops is what it did. */
export function calibrationRatio(alone: readonly number[], both: readonly number[]): number {
  return median(both) / Math.min(...alone);
}

function ready(worker: Worker): Promise<number | null> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

async function round(shared: Int32Array<SharedArrayBuffer>, alone: number): Promise<void> {
  const threads = alone === -1 ? THREADS : 1;
  Atomics.store(shared, 1, 0);
  Atomics.store(shared, 2, 0);
  Atomics.store(shared, 3, threads);
  Atomics.store(shared, 4, alone);
  Atomics.add(shared, 0, 1);
  Atomics.notify(shared, 0);
  for (let finished = 0; finished < threads; finished = Atomics.load(shared, 2)) await Atomics.waitAsync(shared, 2, finished).value;
}

/** Each thread to a processor of its own; false if the system does not let us. */
function pin(threads: readonly (number | null)[]): boolean {
  try {
    const allowed = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
    const processors = parseProcessorList(allowed);
    if (processors.length < threads.length) return false;
    threads.forEach((thread, i) => {
      execFileSync(PIN_COMMAND, ['-cp', String(processors[i]), String(thread)], { stdio: 'ignore' });
    });
    return true;
  } catch {
    return false;
  }
}

/** `0-2,5` → 0, 1, 2, 5. */
export function parseProcessorList(text: string): number[] {
  return text
    .split(',')
    .filter((part) => part !== '')
    .flatMap((part) => {
      const [first = 0, last = first] = part.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    });
}
