/**
 * Refuses transactions before the ledger's memory is used up: a block that is in the journal and does not fit could never be executed, and the node could
 * only be started again with more memory (docs/decisions/0019).
 *
 * Invariant: what waits, is ordered or runs fits into what is left, whatever it turns out to need. What can only take away is refused last.
 * Not here: what a transaction can need and what is left (`src/execution/memory-need.ts`, `memory-room.ts`).
 */
import { HeddleError } from '../base/errors.ts';
import type { Engine, MemoryUse } from '../execution/index.ts';
import type { Transaction } from '../ledger/transactions.ts';

/** The engine's side of it. */
export type Room = Engine['memory'];

/** What an admitted transaction counts until its block has run. */
export interface MemoryClaim {
  readonly pages: number;
  readonly treeBytes: number;
  readonly keys: number;
  readonly lastingKeys: number;
}

/** A block that has run, and whose records the state tree works in. */
interface Settling {
  readonly treeBytes: number;
  wasLookedAt: boolean;
}

const MIB = 2 ** 20;
/**
 * What must be left for a transaction of each use. Nonces of cancels take memory too, though little: they have what the others leave.
 */
const LEAST: Readonly<Record<MemoryUse, number>> = { more: 16 * MIB, less: 8 * MIB, cancel: 0 };
/**
 * Of the memory that is kept for records which come without their owners, a cancel may take a part for its nonce: it takes away what would make them, and an
 * account has few nonces.
 */
const KEPT: Readonly<Record<MemoryUse, number>> = { more: 1, less: 1, cancel: 1 / 2 };
/** So many accounts are gone through for each block between two looks, where they come fast; and at least so long is between them where they do not. */
const ACCOUNTS_A_BLOCK = 16384;
const LOOK_MS = 1000;
/** In which steps somebody chooses the size of the memory, and the most that 32 bits address. */
const SIZE_STEP_MIB = 256;
const SIZE_MOST_MIB = 4096;
const NOTHING: MemoryClaim = { pages: 0, treeBytes: 0, keys: 0, lastingKeys: 0 };

/** A transaction might not fit. */
export class MemoryShort extends HeddleError {
  /** Of the transaction: what is refused before it is refused as well. */
  readonly use: MemoryUse;

  constructor(use: MemoryUse) {
    const still = use === 'more' ? 'orders can be cancelled, positions closed and money taken out' : 'orders can be cancelled';
    super('MEMORY_SHORT', `the ledger's memory is nearly used up: ${still}; whoever runs the node gives it more with --memory-mib`);
    this.use = use;
  }
}

export class MemoryGuard {
  /** Transactions that were refused. */
  refusals = 0;
  private readonly room: Room;
  private pages = 0;
  private treeBytes = 0;
  private lastingKeys = 0;
  /** Of blocks that have run since the last look: what they have made may be latent, and may not be in the tree yet. */
  private spentBytes = 0;
  /** Of those that had run before it, and are not in the tree yet. */
  private settlingBytes = 0;
  private readonly settling: Settling[] = [];
  private isRunning = false;
  private wantsLook = false;
  private blocksSinceLook = 0;
  private lookedAt = performance.now();

  constructor(room: Room) {
    this.room = room;
  }

  /** Throws OUT_OF_MEMORY when an engine as it is at its genesis has no room for anything. */
  checkSize(): void {
    const missing = LEAST.more + MIB - this.room.left(0, 0);
    if (missing <= 0) return;
    const mib = Math.round(this.room.memoryBytes / MIB);
    // Of what is added a part is kept free.
    const more = Math.ceil((missing * 3) / 2 / MIB);
    throw new HeddleError(
      'OUT_OF_MEMORY',
      `a shared memory of ${mib} MiB leaves no room for orders with this genesis: take at least ${mib + more} MiB (--memory-mib, memoryMiB) or a smaller genesis`,
    );
  }

  /** The memory with which transactions that did not fit would have, as far as can be said; `isPossible`: there can be so much. */
  sizeFor(transactions: readonly Transaction[]): { readonly mib: number; readonly isPossible: boolean } {
    const { room } = this;
    let [pages, treeBytes] = [0, 0];
    for (const transaction of transactions) {
      const need = room.needOf(transaction);
      pages += need.pages;
      treeBytes += room.treeBytesOf(need);
    }
    const missing = Math.max(MIB, LEAST.more - room.left(pages, treeBytes));
    const mib = (room.memoryBytes + (missing * 3) / 2) / MIB;
    const rounded = Math.ceil(mib / SIZE_STEP_MIB) * SIZE_STEP_MIB;
    return { mib: Math.min(rounded, SIZE_MOST_MIB), isPossible: room.memoryBytes < SIZE_MOST_MIB * MIB };
  }

  /** Bytes that are left for transactions which need more; 0: they are refused. */
  get leftBytes(): number {
    return Math.max(0, this.left(NOTHING, KEPT.more) - LEAST.more);
  }

  /** Admits a transaction: its claim counts until `ran`. Throws MEMORY_SHORT, and BUSY where it is only what is under way that may need the memory. */
  take(transaction: Transaction): MemoryClaim {
    const { room } = this;
    const need = room.needOf(transaction);
    const claim: MemoryClaim = {
      pages: need.pages,
      treeBytes: room.treeBytesOf(need),
      keys: need.keys,
      lastingKeys: need.lastingKeys,
    };
    if (!this.fits(claim, need.use) && !(this.lookIfUseful() && this.fits(claim, need.use))) {
      if (this.fits(claim, need.use, true)) {
        throw new HeddleError('BUSY', 'what is under way may need all memory that is left: try again when some of it is confirmed');
      }
      this.refusals++;
      throw new MemoryShort(need.use);
    }
    this.pages += claim.pages;
    this.treeBytes += claim.treeBytes;
    this.lastingKeys += claim.lastingKeys;
    return claim;
  }

  /** `isAlone`: as if nothing else were under way. */
  private fits(claim: MemoryClaim, use: MemoryUse, isAlone = false): boolean {
    const { pages, treeBytes, lastingKeys } = claim;
    const { room } = this;
    if (lastingKeys > 0 && lastingKeys + (isAlone ? 0 : this.lastingKeys) > room.keysLeft) return false;
    if (pages === 0 && treeBytes === 0) return true;
    const left = isAlone ? room.left(pages, treeBytes, KEPT[use]) : this.left(claim, KEPT[use]);
    return left >= LEAST[use];
  }

  private left({ pages, treeBytes }: MemoryClaim, kept: number): number {
    return this.room.left(this.pages + pages, this.treeBytes + this.spentBytes + this.settlingBytes + treeBytes, kept);
  }

  /** A block begins to run: nothing can be looked at until it has ended. */
  begins(): void {
    this.isRunning = true;
  }

  /** It has run, with these claims. */
  ran(claims: readonly MemoryClaim[]): void {
    this.isRunning = false;
    this.blocksSinceLook++;
    let treeBytes = 0;
    for (const claim of claims) {
      this.pages -= claim.pages;
      this.lastingKeys -= claim.lastingKeys;
      treeBytes += claim.treeBytes;
    }
    this.treeBytes -= treeBytes;
    this.spentBytes += treeBytes;
    this.settling.push({ treeBytes, wasLookedAt: false });
    this.room.refresh();
    // In time: while a block runs nobody can look, and what it would have found would be refused.
    if (this.wantsLook || this.spentBytes > Math.max(LEAST.more, this.leftBytes)) this.lookIfUseful();
  }

  /** The oldest of the blocks that have run is in the state tree. */
  isInTree(): void {
    const block = this.settling.shift();
    if (block?.wasLookedAt) this.settlingBytes -= block.treeBytes;
  }

  /** Counts anew what has to be kept free, if something can have changed and it is not done all the time. */
  private lookIfUseful(): boolean {
    this.wantsLook = this.isRunning;
    if (this.isRunning || this.blocksSinceLook === 0) return false;
    const isOften = this.blocksSinceLook < this.room.lookAccounts / ACCOUNTS_A_BLOCK;
    if (isOften && performance.now() - this.lookedAt < LOOK_MS) return false;
    this.look();
    return true;
  }

  /** Counts anew what has to be kept free. Between blocks. */
  look(): void {
    this.room.look();
    this.blocksSinceLook = 0;
    this.lookedAt = performance.now();
    this.spentBytes = 0;
    this.settlingBytes = 0;
    for (const block of this.settling) {
      block.wasLookedAt = true;
      this.settlingBytes += block.treeBytes;
    }
  }
}
