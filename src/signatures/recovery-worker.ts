/** A thread of the pool: says which backend it has, then answers batches in the order in which they come. */
import { parentPort, workerData } from 'node:worker_threads';
import { loadBackend } from './recovery-backend.ts';
import { packRecovered, type RecoveredBatch, type SignatureBatch, unpackSignatures } from './recovery-batch.ts';

const backend = await loadBackend(workerData.backend);

parentPort?.on('message', ({ id, signatures }: SignatureBatch) => {
  const addresses = unpackSignatures(signatures).map(({ digest, signature, recovery }) => backend.recover(digest, signature, recovery));
  const answer: RecoveredBatch = { id, recovered: packRecovered(addresses) };
  parentPort?.postMessage(answer, [answer.recovered.buffer]);
});
parentPort?.postMessage({ backend: backend.name });
