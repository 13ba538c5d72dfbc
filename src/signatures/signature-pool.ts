/**
 * Recovers the signers of many requests on threads of their own: the most expensive step of admission, off the thread that serves.
 *
 * What is asked within one turn of the event loop goes out together, spread over the threads that are idle.
 * Invariant: whoever asks is answered once, by an address, by undefined, or by an error that says why there is no answer; never
 * by another's address. A thread that dies is replaced, and its signatures are tried once more, each alone, so that the one that it
 * died of takes no other with it.
 * Not here: what a signature is of, and whether its numbers are in range (src/sdk): out of range is undefined, as no key is.
 */
import { Worker } from 'node:worker_threads';
import { assert } from '../base/assert.ts';
import { HeddleError } from '../base/errors.ts';
import type { BackendName } from './recovery-backend.ts';
import { packSignatures, type ReadyThread, type RecoveredBatch, recoveredAt, type SignatureBatch, type Signed } from './recovery-batch.ts';

export interface SignaturePoolOptions {
  /** At least 1. */
  readonly threads: number;
  /** Signatures that wait or are being worked on; beyond it `recover` fails with BUSY. */
  readonly queueMax?: number;
  /** Without it: native where it loads. */
  readonly backend?: BackendName;
  /** Of the threads (kernel/thread-nice.ts). Without it they have that of the process. */
  readonly nice?: number;
  /** Gets a sentence when the native backend did not load, or when the threads may not have their nice value. Without it: a warning of the process. */
  readonly warn?: (text: string) => void;
  /** Another program for the threads, for tests of what happens when one dies. */
  readonly worker?: URL;
}

const QUEUE_MAX = 20_000;
/** What the digest of a signature is made from; the threads make it, since hashing takes a third as long as recovering. */
export interface Preimage {
  readonly message: Uint8Array;
  /** The digest is keccak(prefix, ... keccak(prefix, keccak(message))), the innermost prefix first; each at most 255 bytes. */
  readonly prefixes: readonly Uint8Array[];
}

/** Who asks for a signer, and is told once, by one of the two. Neither may throw. */
export interface SignerAsker {
  /** The address of 20 bytes, a view of all that were recovered with it; undefined: no key makes this signature. */
  recovered(address: Uint8Array | undefined): void;
  /** RECOVERY_FAILED (the thread died of it, twice), CLOSED, NO_SIGNATURE_THREAD. */
  failed(error: HeddleError): void;
}

/** At 60 us each about 4 ms: what a signature waits at most for others that went out with it. */
const BATCH_MAX = 64;
/** Batches that a thread has, the one that it works on included: enough that it has work while the thread that serves executes a block. */
const THREAD_BATCHES_MAX = 4;
/** What a thread that is at work gets at least: fewer are not worth a message of their own, and wait for others or for the thread. */
const AHEAD_MIN = 16;
const ATTEMPTS_MAX = 2;
/** How often a thread is started in place of one that died. */
const FAILED_STARTS_MAX = 3;

interface Task extends Signed {
  attempts: number;
  readonly asker: SignerAsker;
}

interface Thread {
  readonly worker: Worker;
  /** In the order in which they went out, which is that in which they are answered. */
  readonly batches: { readonly id: number; readonly tasks: readonly Task[] }[];
  /** Of what it died, once it has: also before anybody listened. */
  death: { readonly cause: unknown } | undefined;
  onDeath: () => void;
}

export class SignaturePool {
  /** Which implementation the threads run: native takes about 60 us a signature, JavaScript more than 1 ms. */
  readonly backend: BackendName;
  readonly threadCount: number;
  readonly #options: SignaturePoolOptions;
  readonly #queueMax: number;
  readonly #threads = new Set<Thread>();
  readonly #waiting: Task[] = [];
  /** Those that may have killed a thread: they go before the others, and alone. */
  readonly #suspects: Task[] = [];
  #unanswered = 0;
  #nextBatch = 1;
  #isFlushing = false;
  /** Why the pool takes nothing more. */
  #ended: HeddleError | undefined;

  private constructor(options: SignaturePoolOptions, threads: readonly Thread[], backend: BackendName) {
    this.#options = options;
    this.#queueMax = options.queueMax ?? QUEUE_MAX;
    this.threadCount = options.threads;
    this.backend = backend;
    for (const thread of threads) this.#adopt(thread);
  }

  /** Resolves when all threads are ready. Throws NO_SIGNATURE_THREAD. */
  static async create(options: SignaturePoolOptions): Promise<SignaturePool> {
    assert(Number.isInteger(options.threads) && options.threads >= 1, `threads ${options.threads}`);
    const started = await Promise.allSettled(Array.from({ length: options.threads }, () => start(options)));
    const threads = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const failed = started.find((one) => one.status === 'rejected');
    if (failed !== undefined) {
      await Promise.all(threads.map(({ thread }) => thread.worker.terminate()));
      throw new HeddleError('NO_SIGNATURE_THREAD', `a thread that recovers signatures did not start: ${describe(failed.reason)}`, {
        cause: failed.reason,
      });
    }
    const backend = threads.every((one) => one.backend === 'native') ? 'native' : 'javascript';
    const warn = options.warn ?? ((text: string) => process.emitWarning(text));
    if (options.nice !== undefined && threads.some(({ isNiceRefused }) => isNiceRefused)) {
      warn(
        `The threads that recover signatures cannot have the nice value ${options.nice} and stay as they are: below 0 it takes CAP_SYS_NICE or ` +
          `RLIMIT_NICE (of systemd LimitNICE=${options.nice}), and a system that has nice values of threads.`,
      );
    }
    if (backend === 'javascript' && options.backend !== 'javascript') {
      warn(
        'Signatures are recovered in JavaScript, about 20 times as slowly: the native binding of the package secp256k1 did not load. ' +
          'Install it with its install script allowed, on a platform for which it has a prebuilt binding or with a C++ compiler.',
      );
    }
    return new SignaturePool(
      options,
      threads.map(({ thread }) => thread),
      backend,
    );
  }

  /** Signatures that are not answered yet. */
  get unanswered(): number {
    return this.#unanswered;
  }

  /**
   * Asks who has signed what a digest is made from; the thread makes it as well. `signature` is r and s, 64 bytes. The bytes are copied when a thread is
   * free for them: leave them as they are until there is an answer.
   *
   * Throws BUSY (too many wait: tell the client to try later), and what has ended the pool; then the asker is told nothing.
   */
  ask({ message, prefixes }: Preimage, signature: Uint8Array, recovery: 0 | 1, asker: SignerAsker): void {
    this.#add({ message, prefixes, signature, recovery, attempts: 0, asker });
  }

  /** The same as a promise. */
  recoverSigner(preimage: Preimage, signature: Uint8Array, recovery: 0 | 1): Promise<Uint8Array | undefined> {
    return promised((asker) => this.ask(preimage, signature, recovery, asker));
  }

  /** Of a digest of 32 bytes. */
  recover(digest: Uint8Array, signature: Uint8Array, recovery: 0 | 1): Promise<Uint8Array | undefined> {
    return promised((asker) => {
      assert(digest.length === 32, `a digest of ${digest.length} bytes`);
      this.#add({ message: digest, prefixes: undefined, signature, recovery, attempts: 0, asker });
    });
  }

  #add(task: Task): void {
    assert(task.signature.length === 64, `a signature of ${task.signature.length} bytes`);
    assert(task.recovery === 0 || task.recovery === 1, `recovery ${task.recovery}`);
    if (this.#ended !== undefined) throw this.#ended;
    if (this.#unanswered >= this.#queueMax) throw new HeddleError('BUSY', `${this.#unanswered} signatures wait already: try again later`);
    this.#unanswered++;
    this.#waiting.push(task);
    this.#flushSoon();
  }

  /** Ends the threads. What is not answered by then is rejected with CLOSED: await it first to have it. */
  async close(): Promise<void> {
    this.#end(new HeddleError('CLOSED', 'the pool of signatures was closed'));
    await Promise.all([...this.#threads].map(({ worker }) => worker.terminate()));
  }

  // --- Batches ------------------------------------------------------------------------------------------------------------------------

  #flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    setImmediate(() => {
      this.#isFlushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#ended !== undefined) return;
    for (let load = 0; load < THREAD_BATCHES_MAX; load++) {
      if (load > 0 && this.#waiting.length + this.#suspects.length < AHEAD_MIN) return;
      let open = 0;
      for (const { batches } of this.#threads) if (batches.length === load) open++;
      for (const thread of this.#threads) {
        if (thread.batches.length !== load) continue;
        const suspect = this.#suspects.shift();
        const share = Math.min(BATCH_MAX, Math.ceil(this.#waiting.length / open--));
        const tasks = suspect === undefined ? this.#waiting.splice(0, share) : [suspect];
        if (tasks.length === 0) return;
        this.#send(thread, tasks);
      }
    }
  }

  #send(thread: Thread, tasks: readonly Task[]): void {
    const batch: SignatureBatch = { id: this.#nextBatch++, signatures: packSignatures(tasks) };
    thread.batches.push({ id: batch.id, tasks });
    thread.worker.postMessage(batch, [batch.signatures.buffer]);
  }

  #answer(thread: Thread, { id, recovered }: RecoveredBatch): void {
    if (thread.batches.length === 0 || this.#ended !== undefined) return;
    const batch = thread.batches.shift();
    assert(batch?.id === id, `batch ${id} was answered in place of ${batch?.id}`);
    const { tasks } = batch;
    this.#unanswered -= tasks.length;
    // First, so that no thread waits for what comes of the answers.
    this.#flush();
    tasks.forEach(({ asker }, i) => {
      asker.recovered(recoveredAt(recovered, i));
    });
  }

  // --- Threads ------------------------------------------------------------------------------------------------------------------------

  #adopt(thread: Thread): void {
    this.#threads.add(thread);
    thread.worker.on('message', (message: RecoveredBatch) => this.#answer(thread, message));
    thread.onDeath = () => this.#died(thread);
    if (thread.death !== undefined) this.#died(thread);
  }

  #died(thread: Thread): void {
    if (!this.#threads.delete(thread) || this.#ended !== undefined) return;
    const cause = thread.death?.cause;
    const [current, ...later] = thread.batches.splice(0);
    const tasks = current?.tasks ?? [];
    for (const task of tasks) task.attempts++;
    for (const task of tasks.filter(({ attempts }) => attempts >= ATTEMPTS_MAX)) {
      this.#unanswered--;
      task.asker.failed(
        new HeddleError('RECOVERY_FAILED', `the thread that recovered a signature died of it: ${describe(cause)}`, { cause }),
      );
    }
    this.#suspects.push(...tasks.filter(({ attempts }) => attempts < ATTEMPTS_MAX));
    // Those that it had not begun with are not suspect; of an earlier death some may be.
    for (const task of later.flatMap((batch) => batch.tasks).reverse()) (task.attempts > 0 ? this.#suspects : this.#waiting).unshift(task);
    void this.#replace();
    this.#flush();
  }

  async #replace(): Promise<void> {
    let cause: unknown;
    for (let attempt = 0; attempt < FAILED_STARTS_MAX; attempt++) {
      if (this.#ended !== undefined) return;
      try {
        const { thread } = await start(this.#options);
        if (this.#ended !== undefined) await thread.worker.terminate();
        else this.#adopt(thread);
        this.#flush();
        return;
      } catch (error) {
        cause = error;
      }
    }
    // The others go on; the next death tries again.
    if (this.#threads.size > 0) return;
    this.#end(
      new HeddleError('NO_SIGNATURE_THREAD', `threads that recover signatures do not start any more: ${describe(cause)}`, { cause }),
    );
  }

  #end(why: HeddleError): void {
    if (this.#ended !== undefined) return;
    this.#ended = why;
    const sent = [...this.#threads].flatMap(({ batches }) => batches.flatMap((batch) => batch.tasks));
    const tasks = [...this.#suspects.splice(0), ...this.#waiting.splice(0), ...sent];
    this.#unanswered = 0;
    for (const { asker } of tasks) asker.failed(why);
  }
}

/** What is thrown while asking rejects as well. */
function promised(ask: (asker: SignerAsker) => void): Promise<Uint8Array | undefined> {
  return new Promise((resolve, reject) => ask({ recovered: resolve, failed: reject }));
}

/** Resolves when the thread is ready; rejects when it dies before. */
function start(options: SignaturePoolOptions): Promise<ReadyThread & { readonly thread: Thread }> {
  const worker = new Worker(options.worker ?? new URL('./recovery-worker.ts', import.meta.url), {
    workerData: { backend: options.backend, nice: options.nice },
  });
  return new Promise((resolve, reject) => {
    const thread: Thread = { worker, batches: [], death: undefined, onDeath: () => reject(thread.death?.cause) };
    let cause: unknown;
    worker.on('error', (error) => {
      cause = error;
    });
    // An error is followed by the exit, and only that comes after all that the thread has answered: at the error an earlier batch may seem to be open.
    worker.on('exit', (code) => {
      thread.death = { cause: cause ?? new Error(`exit code ${code}`) };
      thread.onDeath();
    });
    worker.once('message', (ready: ReadyThread) => resolve({ ...ready, thread }));
  });
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
