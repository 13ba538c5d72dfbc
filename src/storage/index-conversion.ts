/**
 * The index of an older version becomes a run: it was a table of single keys, with the keys of each block a second time, packed, for pruning.
 *
 * Invariant: nothing is lost, wherever it ends. The store says that it is being converted from the moment on in which it is of the new version; each transaction
 * writes some chunks and how far they go; the old tables go when all keys are in the run.
 * It takes half a minute for ten million keys. Not here: when a store is opened (store.ts).
 */
import { CHUNK_BYTES, ChunkWriter } from './run-chunks.ts';
import { GROWING, type Run, readRuns, WHOLE, writeOfRun } from './run-record.ts';
import { CONVERTING, type StoreTables, type Write } from './store-tables.ts';

const KEYS = 'index';
const KEYS_OF_BLOCKS = 'terms';
const STEP_KEYS = 50_000;
/** Deep enough to be left alone by the small runs that follow it. */
const DEPTH = 4;

/** Goes on with what was begun, if anything was. `stepKeys`: of one transaction. */
export async function convertIndex(tables: StoreTables, stepKeys = STEP_KEYS): Promise<void> {
  if (tables.meta.getBinary(CONVERTING) === undefined) return;
  const keys = tables.table(KEYS);
  let run = readRuns(tables)[0] ?? newRun(tables);
  // An empty store has no heights.
  while (run?.state === GROWING) {
    const { position } = run;
    const start = position === undefined ? {} : { start: position, exclusiveStart: true };
    const found = [...keys.getKeys({ ...start, limit: stepKeys })];
    const writes: Write[] = [];
    const into = new ChunkWriter(tables, run.number, CHUNK_BYTES, writes);
    for (const key of found) into.add(new DataView(key.buffer, key.byteOffset, key.length), 0, key.length);
    into.end();
    const last = found.length < stepKeys;
    run = { ...run, bytes: run.bytes + into.bytes, position: last ? undefined : found.at(-1), state: last ? WHOLE : GROWING };
    await tables.write([...writes, writeOfRun(tables, run)]);
    tables.renew();
  }
  await keys.drop();
  await tables.table(KEYS_OF_BLOCKS).drop();
  await tables.write([{ table: tables.meta, key: CONVERTING, value: undefined }]);
}

function newRun({ first, height }: StoreTables): Run | undefined {
  if (first === undefined || height === undefined) return undefined;
  return { number: 0, depth: DEPTH, from: first, to: height, state: GROWING, bytes: 0, position: undefined };
}
