/**
 * A worker thread: its own instance of the module on the shared memory. Waits for a command, runs its part, counts itself as finished.
 *
 * Between blocks it spins briefly and then sleeps. A trap ends its part, not the thread: the block is stopped and completed by the host.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { type KernelExports, kernelImports } from './kernel.ts';
import * as L from './layout.ts';

const SPIN_ROUNDS = 4000;
const { module, memory, id } = workerData as { module: WebAssembly.Module; memory: WebAssembly.Memory; id: number };
const words = new Int32Array(memory.buffer);
const instance = await WebAssembly.instantiate(module, kernelImports(memory));
const kernel = instance.exports as unknown as KernelExports;

const word = (address: number): number => address >>> 2;

function runPart(): void {
  const run = words[word(L.BLK_RUN)];
  try {
    if (run === L.RUN_OPTIMISTIC) kernel.runOptimistic(id);
    else if (run === L.RUN_DETERMINISTIC) kernel.runDeterministic(id);
    else if (run === L.RUN_SHARDED) kernel.runSharded(id);
    else if (run === L.RUN_SWEEP) kernel.runSweep(id);
    else if (run === L.RUN_AUDIT) kernel.runAudit(id);
    else if (run === L.RUN_COLLECT) kernel.collectPart();
    else kernel.digestPart(id);
  } catch (error) {
    if (words[word(L.BLK_FAULT_SILENT)] === 1) process.exit(1);
    Atomics.compareExchange(words, word(L.CTL_STOP), L.STOP_NONE, L.STOP_WORKER_DIED);
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
  }
  Atomics.add(words, word(L.CTL_FINISHED), 1);
}

let seen = Atomics.load(words, word(L.CTL_COMMAND));
parentPort?.postMessage('ready');
while (true) {
  let rounds = 0;
  while (Atomics.load(words, word(L.CTL_COMMAND)) === seen) {
    if (++rounds > SPIN_ROUNDS) Atomics.wait(words, word(L.CTL_COMMAND), seen);
  }
  seen = Atomics.load(words, word(L.CTL_COMMAND));
  if (id >= (seen & 0xff)) continue;
  const run = words[word(L.BLK_RUN)];
  if (run === 255) break;
  runPart();
}
