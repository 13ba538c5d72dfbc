/**
 * The store's thread: has the environment of LMDB for itself as far as writing goes, and does what comes, in its order.
 *
 * Invariant: it answers every message once, but for `hasten`. An error of ours is thrown, which ends the thread: whoever waits is told by its end.
 * Not here: locks. The thread that has started this one holds the folder.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { BACKGROUND_NICE, setThreadNice } from '../kernel/thread-nice.ts';
import { storeError, wordsOf } from './lmdb-error.ts';
import { StorageError } from './storage-error.ts';
import { StoreTables } from './store-tables.ts';
import type { StoreReply, StoreRequest } from './store-thread.ts';
import { StoreWriter } from './store-writer.ts';

// Who waits for it waits for room, of which there is for seconds.
setThreadNice(BACKGROUND_NICE);
const port = parentPort as MessagePort;
const { folder, joinMs } = workerData as { readonly folder: string; readonly joinMs: number };

function reply(id: number, height: number | undefined, error?: StorageError): void {
  const answer: StoreReply = { id, height, ...(error === undefined ? {} : { error: wordsOf(error) }) };
  port.postMessage(answer);
}

async function answer(writer: StoreWriter, id: number, doing: Promise<void>): Promise<void> {
  try {
    await doing;
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    reply(id, writer.height, error);
    return;
  }
  reply(id, writer.height);
}

async function close(tables: StoreTables, writer: StoreWriter): Promise<void> {
  await writer.close();
  await tables.close();
}

try {
  const tables = new StoreTables(folder);
  const writer = new StoreWriter(tables, { joinMs });
  port.on('message', (request: StoreRequest) => {
    const { id } = request;
    if (request.kind === 'commit') answer(writer, id, writer.commit(request.block));
    else if (request.kind === 'prune') answer(writer, id, writer.prune(request.below));
    else if (request.kind === 'hasten') writer.hasten();
    else answer(writer, id, close(tables, writer)).finally(() => port.close());
  });
  reply(0, writer.height);
} catch (cause) {
  reply(0, undefined, await storeError(cause, folder, 'opening'));
}
