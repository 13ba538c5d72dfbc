/**
 * Bodies and receipts of blocks as the store keeps them: in columns, compressed in pieces; what is in no columns is compressed as it is.
 *
 *   packed value of compression.ts; form 2: a body in columns (ledger/block-columns.ts), 3: receipts in columns (receipt-columns.ts)
 *
 * Invariant: what was packed comes back byte for byte: a body as `encodeBlock` writes it, whichever way it was given.
 * Not here: the journal, which holds transactions as they are hashed (ledger/packed-block.ts): it is written before anybody is told.
 */
import { decodeColumns, encodeColumns, newAddresses } from '../ledger/block-columns.ts';
import type { AddressBook } from '../ledger/name-columns.ts';
import { encodeBlock } from '../ledger/transaction-codec.ts';
import type { Address, Block } from '../ledger/transactions.ts';
import { compressPieces, decompressPieces, openSealed, pack, seal, unpack } from './compression.ts';
import { decodeReceipts, encodeReceipts } from './receipt-columns.ts';

const BODY_COLUMNS = 2;
const RECEIPT_COLUMNS = 3;
/** In less, columns have more heads than they save, so both forms are tried. Measured: rows are smaller below 3 to 20 transactions. */
const TRANSACTIONS_FEW = 64;
const RECEIPT_BYTES_FEW = 4096;
const ADDRESS_BYTES = 20;

export interface PackedBody {
  readonly packed: Uint8Array;
  /** Addresses that have the next numbers of the book from now on: it is to be told. */
  readonly newAddresses: readonly Address[];
}

/** A block in columns; bytes of one as they are. */
export function packBody(body: Block | Uint8Array, book: AddressBook): PackedBody {
  if (body instanceof Uint8Array) return { packed: pack(body), newAddresses: [] };
  const columns = encodeColumns(body, book);
  const packed = sealColumns(BODY_COLUMNS, columns);
  if (body.transactions.length < TRANSACTIONS_FEW) {
    const rows = pack(encodeBlock(body));
    // What addresses take that stand in full is saved in later blocks.
    const own = packed.length - ADDRESS_BYTES * newAddresses(columns).length;
    if (rows.length <= own) return { packed: rows, newAddresses: [] };
  }
  return { packed, newAddresses: newAddresses(columns) };
}

/** Throws if it is not what `packBody` made, with the same book as it was or has become. */
export function unpackBody(packed: Uint8Array, book: AddressBook): Uint8Array {
  const columns = openColumns(BODY_COLUMNS, packed);
  return columns === undefined ? unpack(packed) : encodeBlock(decodeColumns(columns, book));
}

export function packReceipts(receipts: Uint8Array): Uint8Array {
  const columns = encodeReceipts(receipts);
  if (columns === undefined) return pack(receipts);
  const packed = sealColumns(RECEIPT_COLUMNS, columns);
  if (receipts.length >= RECEIPT_BYTES_FEW) return packed;
  const rows = pack(receipts);
  return rows.length < packed.length ? rows : packed;
}

/** Throws if it is not what `packReceipts` made. */
export function unpackReceipts(packed: Uint8Array): Uint8Array {
  const columns = openColumns(RECEIPT_COLUMNS, packed);
  return columns === undefined ? unpack(packed) : decodeReceipts(columns);
}

function sealColumns(form: number, columns: Uint8Array): Uint8Array {
  return seal(form, columns.length, compressPieces(columns));
}

/** Undefined if it is in another form. */
function openColumns(wanted: number, packed: Uint8Array): Uint8Array | undefined {
  const { form, length, content } = openSealed(packed);
  return form === wanted ? decompressPieces(content, length) : undefined;
}
