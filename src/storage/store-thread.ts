/**
 * The store's thread, as seen by the thread that executes: blocks go over as bytes, and what is packed, put and flushed there takes nothing here.
 *
 *   to the thread     { id, commit | prune | close }, each answered once; hasten, which has no answer
 *   from the thread   { id, height, error? }; the first is of number 0: it has opened the store
 *
 * Invariant: every promise is settled, also when the thread ends before its time: that is STORE_STOPPED for everything in flight and all that follows.
 * Not here: what the thread does (store-worker.ts), and how much may be in flight (the caller's).
 */
import { Worker } from 'node:worker_threads';
import { type ErrorWords, fromWords, stoppedBy, storeClosed } from './lmdb-error.ts';
import { StorageError } from './storage-error.ts';
import type { BlockWriter, CommitBytes } from './store-writer.ts';

export type StoreRequest = { readonly id: number } & (
  | { readonly kind: 'commit'; readonly block: CommitBytes }
  | { readonly kind: 'prune'; readonly below: number }
  | { readonly kind: 'hasten' }
  | { readonly kind: 'close' }
);

export interface StoreReply {
  readonly id: number;
  /** That is on disk. */
  readonly height: number | undefined;
  readonly error?: ErrorWords;
}

/** The number of the answer that nobody asks for: the thread has opened the store, or could not. */
const OPENED = 0;
/** The number of a message that is not answered. */
const NOBODY = -1;

interface Asked {
  readonly resolve: () => void;
  readonly reject: (error: StorageError) => void;
}

export class StoreThread implements BlockWriter {
  height: number | undefined;
  private readonly worker: Worker;
  private readonly onWritten: () => void;
  private readonly asked = new Map<number, Asked>();
  private readonly ended: Promise<void>;
  private hasEnded = false;
  private nextId = OPENED;
  private stopped: StorageError | undefined;
  private closing: Promise<void> | undefined;

  private constructor(folder: string, joinMs: number, onWritten: () => void) {
    this.onWritten = onWritten;
    // Options of this process are for its own script: with some of them no file can be run.
    const options = { name: 'store', workerData: { folder, joinMs }, execArgv: [] };
    this.worker = new Worker(new URL('./store-worker.ts', import.meta.url), options);
    this.worker.on('message', (reply: StoreReply) => this.answered(reply));
    this.worker.on('error', (error) => this.stop(threadEnded(error)));
    this.ended = new Promise((resolve) => {
      this.worker.on('exit', (code) => {
        this.hasEnded = true;
        this.stop(threadEnded(new Error(`exit code ${code}`)));
        resolve();
      });
    });
  }

  /** `onWritten` is called when something new is on disk, before anybody who waits for it goes on. Rejects with what opening the store throws. */
  static async start(folder: string, joinMs: number, onWritten: () => void): Promise<StoreThread> {
    const thread = new StoreThread(folder, joinMs, onWritten);
    try {
      await thread.answer();
      return thread;
    } catch (error) {
      await thread.ended;
      throw error;
    }
  }

  /** The bytes are copied: the caller's stay as they are, and the thread has its own. */
  commit(block: CommitBytes): Promise<void> {
    const moved: ArrayBuffer[] = [];
    const copy = (bytes: Uint8Array): Uint8Array => {
      const own = new Uint8Array(bytes);
      moved.push(own.buffer);
      return own;
    };
    const { height, journaled } = block;
    const [header, body, receipts, keys] = [copy(block.header), copy(block.body), copy(block.receipts), copy(block.keys)];
    const own = { height, header, body, journaled, receipts, changed: block.changed.map(copy), keys };
    return this.ask((id) => ({ id, kind: 'commit', block: own }), moved);
  }

  prune(below: number): Promise<void> {
    return this.ask((id) => ({ id, kind: 'prune', below }));
  }

  hasten(): void {
    if (this.asked.size > 0) this.worker.postMessage({ id: NOBODY, kind: 'hasten' } satisfies StoreRequest);
  }

  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private async end(): Promise<void> {
    if (!this.hasEnded) {
      // What it answers when everything before is written. If it ends without an answer, everybody has been told.
      const closed = this.answer();
      const request: StoreRequest = { id: this.nextId - 1, kind: 'close' };
      this.worker.postMessage(request);
      await closed.catch(() => {});
    }
    this.stopped ??= storeClosed();
    await this.ended;
  }

  private ask(request: (id: number) => StoreRequest, moved: ArrayBuffer[] = []): Promise<void> {
    if (this.stopped !== undefined) return Promise.reject(stoppedBy(this.stopped));
    const id = this.nextId;
    const answer = this.answer();
    this.worker.postMessage(request(id), moved);
    return answer;
  }

  /** To what has the next number. The thread keeps the process alive while somebody waits for it. */
  private answer(): Promise<void> {
    this.worker.ref();
    return new Promise((resolve, reject) => this.asked.set(this.nextId++, { resolve, reject }));
  }

  private answered({ id, height, error }: StoreReply): void {
    this.height = height;
    this.onWritten();
    if (error !== undefined) this.stop(fromWords(error));
    this.asked.get(id)?.resolve();
    this.asked.delete(id);
    // Whoever closes waits for the thread's end, also when errors are answered meanwhile.
    if (this.asked.size === 0 && this.closing === undefined) this.worker.unref();
  }

  /** What stops one stops all that are in flight, as it does those that wait in the same thread. */
  private stop(error: StorageError): void {
    this.stopped ??= error;
    for (const { reject } of this.asked.values()) reject(this.stopped);
    this.asked.clear();
  }
}

function threadEnded(cause: unknown): StorageError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StorageError('STORE_STOPPED', `the store's thread has ended (${reason}): start the node again`, { cause });
}
