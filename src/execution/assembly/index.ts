/** What the WebAssembly module exports: the executors over this ledger's programs, and thread 0's work between blocks. */
import { claimsOf } from '../../commitment/assembly/changes';
import { hashPacked, namePacked, rootOfLeaves } from '../../commitment/assembly/item-list';
import { spreadKeys } from '../../commitment/assembly/nodes';
import { awaitCount, commitPart, fillPart, rootPart, scratchOf } from '../../commitment/assembly/tree';
import { COM_CHANGE_COUNT, COM_COLLECTED, LISTS } from '../../commitment/layout';
import { checkExchangeLayout } from '../../exchange/assembly/records';
import { adversarial, optimistic, recoverCommit } from '../../kernel/assembly/executor-optimistic';
import { deterministic, planOwners, undo } from '../../kernel/assembly/executor-deterministic';
import { planShards, sharded } from '../../kernel/assembly/executor-sharded';
import { serial } from '../../kernel/assembly/executor-serial';
import { workerBlock } from '../../kernel/assembly/schedule';
import { spin } from '../../kernel/assembly/record';
import { assertKernel } from '../../kernel/assembly/memory';
import { ASIDE_COMMIT, ASIDE_FILL, ASIDE_LISTS, ASIDE_ROOT, ASIDE_THREADS_MAX, BLK_LIST, BLK_TX_TABLE } from '../../kernel/layout';
import { checkLedgerLayout } from '../../ledger/assembly/ledger';
import { collectPart, listChanges } from './collect';
import { digestPart, packReceipts } from './digest';
import { markRecords } from './fill';
import { packChanges } from './pack-changes';
import { admitTransaction, declareSet, endOfBlock, eventBytesMax, Programs, turnSeed } from './programs';

export { findKey, removeKey, resolveKey } from '../../kernel/assembly/keys';
export { touch } from '../../kernel/assembly/dirty';
export { takeChunks } from '../../kernel/assembly/memory';
export { beginAudit, endAudit, runAudit } from '../../exchange/assembly/audit';
export { ensurePage } from '../../exchange/assembly/book';
export { ensurePosition, ensureSlotPages, ensureTwaps, freePages } from '../../exchange/assembly/pages';
export { foldInbox, planBackstop, planFirst, planLiquidations } from '../../exchange/assembly/plan';
export { planDeleverage } from '../../exchange/assembly/deleverage';
export { clearPaid, noteLastPrices, noteMarketStates, updatePrices } from '../../exchange/assembly/prices';
export { findDormant, noteActive } from '../../exchange/assembly/dormant';
export { countLatent } from '../../exchange/assembly/latent';
export { rollDay } from '../../exchange/assembly/volumes';
export { beginSweep, endSweep, runSweep } from '../../exchange/assembly/sweep';
export { undo, recoverCommit, planOwners, planShards, endOfBlock, turnSeed };
export { collectPart, digestPart, hashPacked, listChanges, markRecords, namePacked, packChanges, packReceipts, spreadKeys };

@inline
function programs(): Programs {
  return changetype<Programs>(0);
}

export function runSerial(from: u32, to: u32): u32 {
  return serial<Programs>(programs(), from, to);
}

export function runOptimistic(id: u32): u32 {
  return optimistic<Programs>(programs(), id);
}

export function runDeterministic(id: u32): u32 {
  return deterministic<Programs>(programs(), id);
}

export function runSharded(id: u32): u32 {
  return sharded<Programs>(programs(), id);
}

/** A side thread's part of a job; the argument of ASIDE_LISTS is how many side threads there are. */
export function runAside(job: u32, id: u32, argument: u32): void {
  assertKernel(id < ASIDE_THREADS_MAX);
  if (job == ASIDE_COMMIT) commitPart(id);
  else if (job == ASIDE_FILL) {
    collectPart();
    awaitCount(COM_COLLECTED, claimsOf(load<u32>(0, COM_CHANGE_COUNT)));
    fillPart(id);
  } else if (job == ASIDE_ROOT) rootPart(id);
  else if (job == ASIDE_LISTS) for (let list = id; list < LISTS; list += argument) rootOfLeaves(list, scratchOf(id));
  else unreachable();
}

export function runAdversarial(seed: u32, workers: u32, ahead: u32): u32 {
  return adversarial<Programs>(programs(), seed, workers, ahead);
}

/** Admits the transactions of the table: returns how many, less than `count` when the memory is full. */
export function admit(count: u32): u32 {
  const table = <usize>load<u32>(0, BLK_TX_TABLE);
  for (let i: u32 = 0; i < count; i++) {
    if (!admitTransaction(load<u32>(table + (i << 2)))) return i;
  }
  return count;
}

/** How many transactions from `from` on can produce events of at most `bytes` in all. */
export function fitting(from: u32, count: u32, bytes: u64): u32 {
  const table = <usize>load<u32>(0, BLK_TX_TABLE);
  let sum: u64 = 0;
  for (let i = from; i < count; i++) {
    sum += eventBytesMax(load<u32>(table + (i << 2)));
    if (sum > bytes) return i - from;
  }
  return count - from;
}

/** Writes the declared sets of transactions from..to to the block's lists, entries from `at` on, below `limit`; 0: no room. */
export function declareAll(from: u32, to: u32, at: u32, limit: u32): u32 {
  const table = <usize>load<u32>(0, BLK_TX_TABLE);
  const list = <usize>load<u32>(0, BLK_LIST);
  for (let i = from; i < to; i++) {
    const end = declareSet(load<u32>(table + (i << 2)), at);
    store<u32>(list + (i << 3), end == 0 ? 0 : at);
    store<u32>(list + (i << 3), end == 0 ? 0 : end - at, 4);
    if (end != 0) at = end;
    if (at + 4096 > limit) return 0;
  }
  return at;
}

/** The extra work of a benchmark, to calibrate its unit. */
export function spinUnits(units: u32): void {
  spin(workerBlock(0), units);
}

export function checkLayouts(): void {
  checkLedgerLayout();
  checkExchangeLayout();
}
