/**
 * Dormant accounts (docs/rules.md, 11; docs/decisions/0013): folds accounts that have not been active for long into one value each, which
 * leaves the shared memory, and unfolds them when a transaction of a block names them.
 *
 * Invariant: what is unfolded is what the state tree commits to: the value's hash is that of the account's leaf. An account is unfolded at
 * admission, before anything of the block runs, and folded again if the block does not run; the port changes at a block's end only.
 * Not here: numbers of accounts and addresses (admission.ts), which accounts are folded (`src/exchange/assembly/dormant.ts`).
 */
import { assert } from '../base/assert.ts';
import { HeddleError } from '../base/errors.ts';
import type { RecordChange } from '../base/packed-changes.ts';
import { leafOf } from '../commitment/state-tree.ts';
import * as X from '../exchange/layout.ts';
import type { Kernel } from '../kernel/index.ts';
import * as L from '../kernel/layout.ts';
import * as G from '../ledger/layout.ts';
import type { ColdRecords } from './cold-records.ts';
import { clearRecords, equityOf, type FoldedRecord, packRecords, readRecords, unpackRecords, writeRecords } from './folded-account.ts';
import { KEY_UNIT_BYTES, type MemoryNeed, POSITION_PAGE_BYTES } from './memory-need.ts';
import type { StateTree } from './state-tree.ts';

const DAY_MS = 86_400_000;
const ADDRESS_BYTES = 20;

interface Woken {
  readonly number: number;
  readonly address: Uint8Array;
  readonly equity: bigint;
}

export class DormantAccounts {
  private readonly kernel: Kernel;
  private readonly cold: ColdRecords;
  private readonly tree: StateTree | undefined;
  /** How many there are. */
  private count = 0;
  /** Unfolded for the block that is being prepared or runs. */
  private woken: Woken[] = [];
  /** Addresses that admission has found unknown: the tree must have no leaf of them either. */
  private unknown: Uint8Array[] = [];
  /** Numbers of accounts folded in this block: free at its end. */
  private folded: number[] = [];

  /** Without a tree the values of the port are taken as they are. */
  constructor(kernel: Kernel, cold: ColdRecords, tree: StateTree | undefined) {
    this.kernel = kernel;
    this.cold = cold;
    this.tree = tree;
  }

  /** The records of a dormant account; undefined if the address is none's. Throws STORE_DAMAGED if they are not those of the state. */
  find(address: Uint8Array): readonly FoldedRecord[] | undefined {
    // Also while the genesis is written: the port may have those of the state that is brought in next.
    if (this.count === 0) return undefined;
    const value = this.cold.get(address);
    if (value === undefined) {
      if (this.tree !== undefined) this.unknown.push(address.slice());
      return undefined;
    }
    if (this.tree !== undefined) {
      const key = keyOf(address);
      // The last block's leaves have to be in.
      this.tree.settle();
      const leaf = this.tree.leafOf(key);
      if (leaf === undefined) throw damaged(address, 'the state has no such dormant account');
      if (Buffer.compare(leaf, leafOf(key, value)) !== 0) throw damaged(address, 'its bytes are not those that the state root commits to');
    }
    const records = unpackRecords(this.kernel, value);
    if (records === undefined || !isOf(address, records)) throw damaged(address, 'its bytes are not the records of this account');
    return records;
  }

  get isEmpty(): boolean {
    return this.count === 0;
  }

  /** Adds to a need what unfolding this account takes; nothing if it is not dormant. */
  addWaking(address: Uint8Array, need: MemoryNeed): void {
    const value = this.cold.get(address);
    const records = value === undefined ? undefined : unpackRecords(this.kernel, value);
    if (records === undefined) return;
    need.records += records.length;
    need.pages += KEY_UNIT_BYTES + records.filter(({ recordClass }) => recordClass === X.CLASS_POSITION).length * POSITION_PAGE_BYTES;
    need.keys++;
    need.lastingKeys++;
  }

  /** Writes the records of an account under its new number; active today. Throws OUT_OF_MEMORY; `putBack` takes what was written. */
  unfold(number: number, address: Uint8Array, records: readonly FoldedRecord[], timeMs: number): void {
    const { kernel } = this;
    this.woken.push({ number, address: address.slice(), equity: equityOf(records) });
    if (!writeRecords(kernel, number, records)) {
      throw new HeddleError(
        'OUT_OF_MEMORY',
        'the shared memory is used up by positions: give the engine more (memoryMiB); the block was not started',
      );
    }
    kernel.set(kernel.get(G.LEDGER_ACCOUNTS) + number * G.ACCOUNT_SIZE + G.ACCOUNT_ACTIVE_DAY, Math.floor(timeMs / DAY_MS) + 1);
  }

  /** The block does not run: what was unfolded for it is as it was. Returns the numbers that are free again. */
  putBack(): number[] {
    const numbers = this.woken.map(({ number }) => number);
    for (const number of numbers) clearRecords(this.kernel, number);
    this.woken = [];
    this.unknown = [];
    return numbers;
  }

  /** When the tree has the last block's leaves. Throws STORE_DAMAGED if an address that was taken for unknown is a dormant account's. */
  checkUnknown(): void {
    for (const address of this.unknown) {
      if (this.tree?.leafOf(keyOf(address)) !== undefined) throw damaged(address, 'its bytes are missing');
    }
    this.unknown = [];
  }

  /**
   * The end of block `height`, when all of its transactions have run; `rolled`: it is the first of its day. Returns what has become of
   * dormant accounts, each once.
   */
  endBlock(height: number, transactions: number, rolled: boolean): RecordChange[] {
    const { kernel, cold } = this;
    kernel.exports.noteActive(transactions);
    let equity = 0n;
    const changes: RecordChange[] = this.woken.map(({ address, equity: woken }) => {
      cold.remove(address, height);
      equity -= woken;
      return { key: keyOf(address), value: undefined };
    });
    this.count -= this.woken.length;
    this.woken = [];
    if (rolled) {
      for (const number of this.dormantNumbers()) {
        const address = this.addressOf(number);
        const records = readRecords(kernel, number);
        const value = packRecords(records);
        clearRecords(kernel, number);
        cold.put(address, value, height);
        equity += equityOf(records);
        changes.push({ key: keyOf(address), value });
        this.folded.push(number);
      }
      this.count += this.folded.length;
    }
    if (equity !== 0n) this.addEquity(equity);
    return changes;
  }

  /** When what the block has written was collected: the numbers of accounts that it folded, ascending, and their addresses. */
  *takeFolded(): Generator<readonly [number: number, address: Uint8Array]> {
    for (const number of this.folded) {
      this.kernel.exports.freePages(number);
      yield [number, this.addressOf(number)];
    }
    this.folded = [];
  }

  private dormantNumbers(): Uint32Array {
    const { kernel } = this;
    const count = kernel.exports.findDormant();
    const accounts = kernel.get(X.EXC_MAX_ACCOUNTS);
    const at = (kernel.get(X.EXC_SCRATCH) + ((accounts + 7) & ~7)) >>> 2;
    return kernel.u32.slice(at, at + count);
  }

  private addressOf(number: number): Uint8Array {
    const at = this.kernel.get(G.LEDGER_ADDRESSES) + number * 32;
    return this.kernel.u8.slice(at, at + ADDRESS_BYTES);
  }

  /** The sum in the clock record: what an audit adds for accounts that it cannot see. */
  private addEquity(equity: bigint): void {
    const { kernel } = this;
    const clock = kernel.get(X.EXC_CLOCK);
    const at = clock * 32 + X.CLOCK_DORMANT_EQUITY;
    kernel.view.setBigInt64(at, kernel.view.getBigInt64(at, true) + equity, true);
    kernel.exports.touch(clock);
  }

  /** A dormant account of a state that is brought in. False: it is none of this ledger. */
  keep(address: Uint8Array, value: Uint8Array, height: number): boolean {
    const records = unpackRecords(this.kernel, value);
    if (records === undefined || !isOf(address, records)) return false;
    this.cold.put(address, value, height);
    this.count++;
    return true;
  }

  /** All, as records, in the order of their keys. */
  *records(): Generator<{ readonly key: Uint8Array; readonly value: Uint8Array }> {
    for (const [address, value] of this.cold.entries()) yield { key: keyOf(address), value };
  }

  snapshot(): readonly (readonly [Uint8Array, Uint8Array])[] {
    return [...this.cold.entries()];
  }

  restore(snapshot: readonly (readonly [Uint8Array, Uint8Array])[], height: number): void {
    for (const [address] of [...this.cold.entries()]) this.cold.remove(address, height);
    for (const [address, value] of snapshot) this.cold.put(address, value, height);
    this.count = snapshot.length;
    this.woken = [];
    this.unknown = [];
    this.folded = [];
  }
}

/** The key of a dormant account's record. */
function keyOf(address: Uint8Array): Uint8Array {
  assert(address.length === ADDRESS_BYTES, `an address of ${address.length} bytes`);
  const key = new Uint8Array(1 + ADDRESS_BYTES);
  key[0] = X.CLASS_DORMANT;
  key.set(address, 1);
  return key;
}

/** Is the first of the records that of an account with this address, of a user? */
function isOf(address: Uint8Array, [account]: readonly FoldedRecord[]): boolean {
  if (account === undefined) return false;
  const payload = new Uint8Array(G.ACCOUNT_SIZE - L.RECORD_PAYLOAD);
  payload.set(account.value);
  const at = (offset: number): number => offset - L.RECORD_PAYLOAD;
  const own = payload.subarray(at(G.ACCOUNT_ADDRESS), at(G.ACCOUNT_ADDRESS) + ADDRESS_BYTES);
  return payload[at(G.ACCOUNT_ROLE)] === G.ROLE_USER && Buffer.compare(own, address) === 0;
}

function damaged(address: Uint8Array, what: string): HeddleError {
  return new HeddleError(
    'STORE_DAMAGED',
    `the dormant account 0x${Buffer.from(address).toString('hex')} cannot be revived: ${what}. Remove the store's folder, the journal makes it again`,
  );
}
