/**
 * A side thread: its own instance of the module on the shared memory, for work on the whole state that goes on while blocks execute (the
 * state tree). Does its part of each job in the order asked, and never touches what executors write.
 *
 * Invariant: a job counts as done when every side thread has done its part; once a thread has died, none counts as done any more.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { type KernelExports, kernelImports } from './kernel.ts';
import * as L from './layout.ts';

const { module, memory, id } = workerData as { module: WebAssembly.Module; memory: WebAssembly.Memory; id: number };
const words = new Int32Array(memory.buffer);
const instance = await WebAssembly.instantiate(module, kernelImports(memory));
const kernel = instance.exports as unknown as KernelExports;
const ASKED = L.CTL_ASIDE >>> 2;
const DONE = L.CTL_ASIDE_DONE >>> 2;

function fail(): void {
  Atomics.store(words, DONE, L.ASIDE_FAILED | 0);
  Atomics.notify(words, DONE);
}

// Whoever waits may keep the host's thread from hearing of it.
process.on('exit', fail);

function doPart(number: number): void {
  const job = (L.CTL_ASIDE_JOBS + (number % L.ASIDE_JOBS) * 16) >>> 2;
  try {
    kernel.runAside(words[job + L.ASIDE_WHAT / 4] as number, id, (words[job + L.ASIDE_ARGUMENT / 4] as number) >>> 0);
  } catch (error) {
    fail();
    throw error;
  }
  if (Atomics.sub(words, job + L.ASIDE_LEFT / 4, 1) !== 1) return;
  Atomics.compareExchange(words, DONE, (number - 1) & L.ASIDE_NUMBER_MASK, number);
  Atomics.notify(words, DONE);
}

// None is asked before all threads are ready.
let done = Atomics.load(words, ASKED);
parentPort?.postMessage('ready');
while (true) {
  Atomics.wait(words, ASKED, done);
  const asked = Atomics.load(words, ASKED);
  while (done !== asked) {
    done = (done + 1) & L.ASIDE_NUMBER_MASK;
    doPart(done);
  }
}
