/**
 * The lists that a header commits to (transactions, receipts, accesses): their items are hashed by the workers when a block has ended, the trees above
 * them by the side threads while the next block executes.
 *
 * Invariant: the roots are those that `listRoot` gives for the same items.
 */
import { assert } from '../base/assert.ts';
import { HeddleError } from '../base/errors.ts';
import * as C from '../commitment/layout.ts';
import type { Kernel } from '../kernel/index.ts';
import * as L from '../kernel/layout.ts';
import type { ListRoots } from './api.ts';
import { PackedReceipts } from './packed-receipts.ts';

const HASH_BYTES = 32;
/** Fewer transactions than this are hashed by thread 0 alone: waking others takes longer. */
const SHARED_LEAST = 512;

export class HeaderLists {
  private readonly kernel: Kernel;
  /** Where the hashes of transactions are before they are copied. */
  private readonly names: number;

  /** Throws OUT_OF_MEMORY. */
  constructor(kernel: Kernel) {
    this.kernel = kernel;
    const bytes = (kernel.maxTransactions + kernel.systemTransactions) * HASH_BYTES;
    for (let list = 0; list < C.LISTS; list++) kernel.set(C.COM_LEAVES + list * 4, kernel.scratch(bytes));
    this.names = kernel.scratch(kernel.maxTransactions * HASH_BYTES);
  }

  /** Hashes the receipts and accesses of a block's `count` transactions. Their memory is free again then. */
  async digest(count: number, workers: number): Promise<void> {
    const { kernel } = this;
    const begin = (): void => {
      kernel.set(C.COM_DIGEST_COUNT, count);
      kernel.set(C.COM_DIGEST_NEXT, 0);
      kernel.set(C.COM_LEAF_COUNTS + C.LIST_RECEIPTS * 4, count);
      kernel.set(C.COM_LEAF_COUNTS + C.LIST_ACCESSES * 4, count);
    };
    begin();
    if (workers > 1 && count >= SHARED_LEAST && (await kernel.runShared('digest', workers))) return;
    // Also what a worker left that died of it: nothing has changed but leaves.
    begin();
    kernel.exports.digestPart(0);
  }

  /**
   * Hashes transactions that lie one behind the other, each behind its length as a u32. With `named` it returns what they are known by: the hash of each
   * without a key.
   */
  hashTransactions(packed: Uint8Array, count: number, named: boolean): Uint8Array[] | undefined {
    const { kernel } = this;
    const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
    const scratch = kernel.get(kernel.workerBlock(0) + L.WRK_TRIAL);
    kernel.set(C.COM_LEAF_COUNTS + C.LIST_TRANSACTIONS * 4, count);
    let at = 0;
    for (let done = 0; done < count; ) {
      const first = done;
      const from = at;
      while (done < count) {
        const next = at + 4 + view.getUint32(at, true);
        if (next - from > kernel.listBytes && done > first) break;
        at = next;
        done++;
      }
      if (at - from > kernel.listBytes) throw new HeddleError('BLOCK_TOO_LARGE', `a transaction of ${at - from} bytes does not fit`);
      kernel.u8.set(packed.subarray(from, at), kernel.listBase);
      kernel.exports.hashPacked(C.LIST_TRANSACTIONS, kernel.listBase, first, done - first, scratch);
      if (named) kernel.exports.namePacked(kernel.listBase, done - first, this.names + first * HASH_BYTES, scratch);
    }
    assert(at === packed.byteLength, 'the packed transactions end with the last');
    if (!named) return undefined;
    const bytes = kernel.u8.slice(this.names, this.names + count * HASH_BYTES);
    const hashes: Uint8Array[] = [];
    for (let i = 0; i < count; i++) hashes.push(bytes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES));
    return hashes;
  }

  noTransactions(): void {
    this.kernel.set(C.COM_LEAF_COUNTS + C.LIST_TRANSACTIONS * 4, 0);
  }

  /** A copy of a block's receipts. */
  packReceipts(count: number): PackedReceipts {
    const { kernel } = this;
    const pieces: Uint8Array[] = [];
    for (let from = 0; from < count; ) {
      const next = kernel.exports.packReceipts(from, count, kernel.listBase, kernel.listBytes);
      assert(next > from, 'a receipt fits');
      pieces.push(kernel.u8.slice(kernel.listBase, kernel.listBase + kernel.get(C.COM_PACKED_BYTES)));
      from = next;
    }
    const [only] = pieces;
    return new PackedReceipts(pieces.length === 1 && only !== undefined ? only : new Uint8Array(Buffer.concat(pieces)), count);
  }

  /** Once the side threads are done. */
  roots(): ListRoots {
    const root = (list: number): Uint8Array => this.kernel.u8.slice(C.COM_ROOTS + list * HASH_BYTES, C.COM_ROOTS + (list + 1) * HASH_BYTES);
    return { transactions: root(C.LIST_TRANSACTIONS), receipts: root(C.LIST_RECEIPTS), accesses: root(C.LIST_ACCESSES) };
  }
}
