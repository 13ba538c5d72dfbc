/** A thread of the pool: says which backend it has, then answers batches in the order in which they come. */
import { parentPort, workerData } from 'node:worker_threads';
import { setThreadNice } from '../kernel/thread-nice.ts';
import { keccak256 } from './keccak.ts';
import { loadBackend } from './recovery-backend.ts';
import {
  packRecovered,
  type ReadyThread,
  type RecoveredBatch,
  type SignatureBatch,
  type Signed,
  unpackSignatures,
} from './recovery-batch.ts';

const backend = await loadBackend(workerData.backend);

function digestOf({ message, prefixes }: Signed): Uint8Array {
  if (prefixes === undefined) return message;
  return prefixes.reduce((hash, prefix) => keccak256(Buffer.concat([prefix, hash])), keccak256(message));
}

parentPort?.on('message', ({ id, signatures }: SignatureBatch) => {
  const addresses = unpackSignatures(signatures).map((one) => backend.recover(digestOf(one), one.signature, one.recovery));
  const answer: RecoveredBatch = { id, recovered: packRecovered(addresses) };
  parentPort?.postMessage(answer, [answer.recovered.buffer]);
});
const { nice } = workerData as { readonly nice?: number };
parentPort?.postMessage({ backend: backend.name, isNiceRefused: nice !== undefined && !setThreadNice(nice) } satisfies ReadyThread);
