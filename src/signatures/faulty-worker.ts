/**
 * A thread that dies of certain signatures, for the tests of the pool. The first byte of the digest says what happens:
 * 0xd1 it throws, 0xd2 it exits, 0xd3 it never answers; anything else is answered by the last 20 bytes of the digest.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { packRecovered, type SignatureBatch, unpackSignatures } from './recovery-batch.ts';

if (workerData.backend === 'native') throw new Error('does not start');

parentPort?.on('message', ({ id, signatures }: SignatureBatch) => {
  const digests = unpackSignatures(signatures).map(({ message }) => message);
  const marks = digests.map((digest) => digest[0]);
  if (marks.includes(0xd1)) throw new Error('died of a signature');
  if (marks.includes(0xd2)) process.exit(3);
  if (marks.includes(0xd3)) return;
  parentPort?.postMessage({ id, recovered: packRecovered(digests.map((digest) => digest.subarray(12))) });
});
parentPort?.postMessage({ backend: 'native', isNiceRefused: false });
