/**
 * The side thread: its own instance of the module on the shared memory, for work on the whole state that goes on while blocks execute (the
 * state tree). It does one thing at a time, in the order asked, and never touches what executors write.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { type KernelExports, kernelImports } from './kernel.ts';
import * as L from './layout.ts';

const { module, memory } = workerData as { module: WebAssembly.Module; memory: WebAssembly.Memory };
const words = new Int32Array(memory.buffer);
const instance = await WebAssembly.instantiate(module, kernelImports(memory));
const kernel = instance.exports as unknown as KernelExports;
const ASKED = L.CTL_ASIDE >>> 2;
const DONE = L.CTL_ASIDE_DONE >>> 2;

let done = Atomics.load(words, ASKED);
parentPort?.postMessage('ready');
while (true) {
  Atomics.wait(words, ASKED, done);
  const asked = Atomics.load(words, ASKED);
  if (asked === done) continue;
  try {
    kernel.commitChanges(Atomics.load(words, L.CTL_ASIDE_ARGUMENT >>> 2) >>> 0);
    done = asked;
    Atomics.store(words, DONE, done);
  } catch (error) {
    Atomics.store(words, DONE, L.ASIDE_FAILED);
    Atomics.notify(words, DONE);
    throw error;
  }
  Atomics.notify(words, DONE);
}
