/**
 * Looks at transactions in the kernel's form before they run: one that is not well formed gets kind 0 and a code, so that nothing behind
 * it is affected and no number in it leads outside the tables. What the rules say about values is the programs' work.
 */
import { CODE_EMPTY_BATCH, CODE_OK, CODE_TOO_MANY_ITEMS, CODE_UNDECODABLE, CODE_UNKNOWN_KIND } from '../base/codes.ts';
import { HeddleError } from '../base/errors.ts';
import * as X from '../exchange/layout.ts';
import type { Kernel } from '../kernel/index.ts';
import * as L from '../kernel/layout.ts';
import * as G from '../ledger/layout.ts';
import * as B from '../synthetic/layout.ts';
import type { PreparedBlock } from './api.ts';

const KEY_LENGTH = 32;
const KEY_CLASS = 36;
const KEY_UNIT_BYTES = 96;

/** Where the payload of a kind holds account numbers, and locations of keyed records with their class. */
interface References {
  readonly accounts?: readonly number[];
  readonly records?: readonly (readonly [offset: number, recordClass: number])[];
}

const REFERENCES: ReadonlyMap<number, References> = new Map<number, References>([
  [G.KIND_TRANSFER, { accounts: [G.TRANSFER_RECIPIENT] }],
  [X.KIND_ORDERS, { records: [[X.ORDERS_APPROVAL, X.CLASS_APPROVAL]] }],
  [X.KIND_SEND_PERP, { accounts: [X.FIELD_8] }],
  [X.KIND_CREATE_SUB_ACCOUNT, { accounts: [X.FIELD_0] }],
  [X.KIND_SUB_TRANSFER, { accounts: [X.FIELD_8] }],
  [X.KIND_APPROVE_AGENT, { accounts: [X.FIELD_0], records: [[X.FIELD_4, G.CLASS_AGENT]] }],
  [X.KIND_APPROVE_BUILDER, { accounts: [X.FIELD_0], records: [[X.FIELD_4, X.CLASS_APPROVAL]] }],
  [X.KIND_REGISTER_REFERRER, { records: [[X.FIELD_0, X.CLASS_REFERRAL]] }],
  [X.KIND_SET_REFERRER, { records: [[X.FIELD_0, X.CLASS_REFERRAL]] }],
  [X.KIND_CREATE_VAULT, { accounts: [X.FIELD_8], records: [[X.FIELD_12, X.CLASS_FOLLOWER]] }],
  [X.KIND_VAULT_TRANSFER, { accounts: [X.FIELD_8], records: [[X.FIELD_12, X.CLASS_FOLLOWER]] }],
  [X.KIND_VAULT_MODIFY, { accounts: [X.FIELD_0] }],
  [X.KIND_SUB_ACCOUNT_MODIFY, { accounts: [X.FIELD_0] }],
]);

/** Refuses what is not well formed, in place, and gives items their ordinals; returns how many items there are. Throws BAD_BLOCK. */
export function refuseMalformed(kernel: Kernel, block: PreparedBlock): number {
  const { u32 } = kernel;
  let items = 0;
  for (let i = 0; i < block.count; i++) {
    const start = block.offsets[i] as number;
    const bytes = (block.offsets[i + 1] as number) - start;
    if (start % 8 !== 0 || bytes < L.TX_PAYLOAD || start + bytes > block.bytes.byteLength) {
      throw new HeddleError(
        'BAD_BLOCK',
        `transaction ${i} lies at ${start} with ${bytes} bytes in a block of ${block.bytes.byteLength} bytes`,
      );
    }
    const at = (kernel.inputBase + start) >>> 2;
    const code = malformed(kernel, at, bytes);
    if (code !== CODE_OK) {
      u32[at] = L.KIND_REFUSED;
      u32[at + (L.TX_CODE >>> 2)] = code;
    } else if (((u32[at] as number) & 0xff) === X.KIND_ORDERS) {
      u32[at + (L.TX_FIRST_ITEM >>> 2)] = items;
      items += (u32[at] as number) >>> 16;
    }
  }
  return items;
}

/** The code that a transaction of `bytes` bytes, at word `at` of the shared memory, is refused with; 0 if it is well formed. */
function malformed(kernel: Kernel, at: number, bytes: number): number {
  const { u32 } = kernel;
  const word = u32[at] as number;
  const kind = word & 0xff;
  const items = word >>> 16;
  if (kind === L.KIND_REFUSED || kind >= B.KIND_BENCH_TRANSFER) return bytes < leastBytes(kind, items, 0) ? CODE_UNDECODABLE : CODE_OK;
  if (kind > X.KIND_LAST) return CODE_UNKNOWN_KIND;
  if (kind === X.KIND_ORDERS || kind === X.KIND_ORACLE) {
    if (items === 0) return CODE_EMPTY_BATCH;
    if (items > X.BATCH_ITEMS_MAX) return CODE_TOO_MANY_ITEMS;
  }
  const signerCount = kind === X.KIND_MULTI_SIG && bytes >= X.FIELD_4 + 4 ? (u32[at + (X.FIELD_4 >>> 2)] as number) : 0;
  if (signerCount > X.SIGNERS_MAX || bytes < leastBytes(kind, items, signerCount)) return CODE_UNDECODABLE;
  if (!isNumber(kernel, at, L.TX_SENDER, true) || !headerFits(kernel, at, bytes)) return CODE_UNDECODABLE;
  if (!referencesFit(kernel, at, kind)) return CODE_UNDECODABLE;
  if (kind === X.KIND_ORDERS) return ordersFit(kernel, at, items) ? CODE_OK : CODE_UNDECODABLE;
  if (kind === X.KIND_CREATE_VAULT) return textsFit(kernel, at, bytes) ? CODE_OK : CODE_UNDECODABLE;
  for (let i = 0; i < signerCount; i++) if (!isKeyed(kernel, at, X.FIELD_8 + i * 8, G.CLASS_SIGNER)) return CODE_UNDECODABLE;
  return CODE_OK;
}

/** Actor, behalf account and the list of signers. */
function headerFits(kernel: Kernel, at: number, bytes: number): boolean {
  const flags = ((kernel.u32[at] as number) >>> 8) & 0xff;
  if ((flags & (L.TX_FLAG_NONCE | L.TX_FLAG_BEHALF | L.TX_FLAG_SIGNERS)) === 0) return true;
  if (!isNumber(kernel, at, L.TX_ACTOR, true)) return false;
  if ((flags & L.TX_FLAG_BEHALF) !== 0 && !isNumber(kernel, at, L.TX_BEHALF, true)) return false;
  if ((flags & L.TX_FLAG_SIGNERS) === 0) return true;
  const list = kernel.u32[at + (L.TX_SIGNERS >>> 2)] as number;
  if (list % 4 !== 0 || list < L.TX_PAYLOAD || list + 8 > bytes || !isNumber(kernel, at, list, true)) return false;
  const count = kernel.u32[at + (list >>> 2) + 1] as number;
  if (count > X.SIGNERS_MAX || list + 8 + count * 8 > bytes) return false;
  for (let i = 0; i < count; i++) {
    const entry = list + 8 + i * 8;
    if (!isNumber(kernel, at, entry, true) || !isKeyed(kernel, at, entry + 4, G.CLASS_SIGNER)) return false;
  }
  return true;
}

function referencesFit(kernel: Kernel, at: number, kind: number): boolean {
  const references = REFERENCES.get(kind);
  if (references === undefined) return true;
  // A recipient always has a number; accounts that are only looked up may have none.
  const recipient = kind === G.KIND_TRANSFER || kind === X.KIND_SEND_PERP;
  for (const offset of references.accounts ?? []) if (!isNumber(kernel, at, offset, !recipient)) return false;
  for (const [offset, recordClass] of references.records ?? []) if (!isKeyed(kernel, at, offset, recordClass)) return false;
  return true;
}

function ordersFit(kernel: Kernel, at: number, items: number): boolean {
  const builder = kernel.u32[at + (X.ORDERS_BUILDER >>> 2)] as number;
  if (builder > kernel.get(G.LEDGER_MAX_ACCOUNTS)) return false;
  for (let i = 0; i < items; i++) {
    const item = X.ORDERS_ITEMS + i * X.ITEM_BYTES;
    if (!isKeyed(kernel, at, item + X.ITEM_TARGET, X.CLASS_CLIENT_ID) || !isKeyed(kernel, at, item + X.ITEM_CLIENT, X.CLASS_CLIENT_ID)) {
      return false;
    }
  }
  return true;
}

/** Name and description of a vault: every part has its record. */
function textsFit(kernel: Kernel, at: number, bytes: number): boolean {
  const nameParts = kernel.u32[at + (X.FIELD_16 >>> 2)] as number;
  const descriptionParts = kernel.u32[at + (X.FIELD_20 >>> 2)] as number;
  if (nameParts > X.VAULT_NAME_PARTS || descriptionParts > X.VAULT_DESCRIPTION_PARTS) return false;
  const parts = nameParts + descriptionParts;
  const locations = X.PAYLOAD_BYTES + parts * X.TEXT_PART_BYTES;
  if (bytes < locations + parts * 8) return false;
  for (let i = 0; i < parts; i++) {
    const offset = locations + i * 8;
    if (kernel.u32[at + (offset >>> 2)] === 0 || !isKeyed(kernel, at, offset, X.CLASS_VAULT_TEXT)) return false;
  }
  return true;
}

/** Is the word an account number, or (if that is allowed) NO_ACCOUNT? */
function isNumber(kernel: Kernel, at: number, offset: number, orNone: boolean): boolean {
  const number = kernel.u32[at + (offset >>> 2)] as number;
  return number < kernel.get(G.LEDGER_MAX_ACCOUNTS) || (orNone && number === L.NO_ACCOUNT);
}

/** Is the word 0 or the location of a keyed record of this class? */
function isKeyed(kernel: Kernel, at: number, offset: number, recordClass: number): boolean {
  const location = kernel.u32[at + (offset >>> 2)] as number;
  if (location === 0) return true;
  const unit = location * 32;
  if (unit + KEY_UNIT_BYTES > kernel.u8.byteLength) return false;
  return kernel.get(unit + KEY_LENGTH) !== 0 && kernel.u8[unit + KEY_CLASS] === recordClass;
}

/** The shortest that a transaction of a kind can be. */
function leastBytes(kind: number, items: number, signers: number): number {
  switch (kind) {
    case G.KIND_TRANSFER:
      return G.TRANSFER_BYTES;
    case X.KIND_ORDERS:
      return X.ORDERS_ITEMS + items * X.ITEM_BYTES;
    case X.KIND_ORACLE:
      return L.TX_PAYLOAD + items * X.ORACLE_ITEM_BYTES;
    case X.KIND_MULTI_SIG:
      return X.FIELD_8 + signers * 8;
    case L.KIND_REFUSED:
      return L.TX_PAYLOAD;
    default:
      return kind >= B.KIND_BENCH_TRANSFER ? L.TX_PAYLOAD + 8 : X.PAYLOAD_BYTES;
  }
}
