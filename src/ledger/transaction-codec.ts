/**
 * Transactions and blocks as bytes: what the journal holds, what is hashed and what is sent.
 *
 * Invariant: encode and decode are inverse to each other. Every transaction that admission would not call undecodable has exactly one
 * encoding, nothing else has one, and bytes that decode are the encoding of what comes out. A field that is absent stays absent, one that
 * is present with its default stays present.
 *
 * Numbers of kinds, operations and words are part of the format: they are never reused, and new ones are added behind. A change that old
 * bytes do not survive raises VERSION. A field that is added to a kind is optional, the last of its kind, and marked with the change that it
 * came with; so is an added kind. Changes so far: 1 names of accounts and vaults.
 *
 *   block         u8 version, number, timeMs, how many transactions, the transactions
 *   transaction   head (kind in the first 8 bits), sender, nonce, behalf, multiSig, the kind's own fields
 *   item          head (operation in the first 3 bits), its fields
 *
 * Numbers are base-128 with the lowest group first. Addresses are numbered through the block (through the transaction, where it stands
 * alone) in the order in which they occur: a number that is new is followed by the 20 bytes.
 *
 * Not here: signatures, and what transactions mean.
 */
import { HeddleError } from '../base/errors.ts';
import type { Codec, Fields } from './field-codec.ts';
import {
  address,
  choice,
  clientId,
  flag,
  i64,
  list,
  oidOrClientId,
  optional,
  since,
  struct,
  text,
  u32,
  u53,
  u63,
  u64,
  variants,
} from './field-codec.ts';
import { RowReader, RowWriter } from './row-encoding.ts';
import type { Block, OrderItem, OrdersTransaction, PlaceItem, PlainTransaction, Transaction } from './transactions.ts';

const VERSION = 1;
/** The most bytes of UTF-8 (docs/rules.md, 2). */
const ACCOUNT_NAME_BYTES = 24;
const VAULT_NAME_BYTES = 72;
const VAULT_DESCRIPTION_BYTES = 384;
const SIGNERS_MAX = 10;
const SOURCES_MAX = 8;

type Kind = Transaction['kind'];
type OfKind<T, K> = T extends { readonly kind: infer U } ? (K extends U ? T : never) : never;
/** What every transaction has: sender, nonce and so on. */
type Envelope = Omit<PlainTransaction, 'kind'>;
type Own<K extends Kind> = Fields<Omit<OfKind<Transaction, K>, 'kind' | keyof Envelope>>;
type ItemOf<O extends OrderItem['op']> = Fields<Omit<Extract<OrderItem, { op: O }>, 'op'>>;

const signers = list(address, { most: SIGNERS_MAX, distinct: true });

const ENVELOPE: Fields<Envelope> = {
  sender: address,
  nonce: optional(u64),
  behalf: optional(address),
  multiSig: optional(struct({ user: address, signers })),
};

const side = choice(1, 'buy', 'sell');

const TERMS: Fields<Omit<PlaceItem, 'op'>> = {
  side,
  tif: choice(3, 'gtc', 'ioc', 'alo', 'market', 'fok'),
  reduceOnly: optional(flag),
  selfTrade: optional(choice(2, 'cancelMaker', 'cancelTaker', 'cancelBoth')),
  market: u32,
  priceTicks: u32,
  sizeLots: u63,
  clientId: optional(clientId),
  expiresMs: optional(u53),
  displayLots: optional(u63),
  trigger: optional(
    struct<NonNullable<PlaceItem['trigger']>>({ kind: choice(1, 'takeProfit', 'stopLoss'), market: flag, priceTicks: u32 }),
  ),
};

const ITEMS: { readonly [O in OrderItem['op']]: readonly [tag: number, ItemOf<O>] } = {
  place: [0, TERMS],
  cancel: [1, { market: u32, oid: u64 }],
  cancelByClientId: [2, { market: u32, target: clientId }],
  modify: [3, { ...TERMS, target: oidOrClientId, always: optional(flag) }],
  reduce: [4, { market: u32, oid: u64, sizeLots: u63 }],
};

const item = variants<OrderItem>(
  'op',
  3,
  Object.entries(ITEMS).map(([op, [tag, fields]]) => [op, tag, fields] as const),
);

const amount = { amount: u64 };
const prices = list(u32, { most: SOURCES_MAX });

const KINDS: { readonly [K in Kind]: readonly [tag: number, fields: Own<K>, change?: number] } = {
  transfer: [1, { recipient: address, token: u32, amount: u64 }],
  deposit: [2, amount],
  toSpot: [3, amount],
  withdraw: [4, amount],
  sendPerp: [5, { recipient: address, amount: u64 }],
  orders: [
    6,
    {
      items: list(item),
      grouping: optional(choice(2, 'none', 'normal', 'position')),
      builder: optional(struct<NonNullable<OrdersTransaction['builder']>>({ address, fee: u32 })),
    },
  ],
  oracle: [
    7,
    { prices: list(struct<OfKind<Transaction, 'oracle'>['prices'][number]>({ market: u32, spot: prices, perp: optional(prices) })) },
  ],
  updateLeverage: [8, { market: u32, leverage: u32, isolated: flag }],
  isolatedMargin: [9, { market: u32, amount: optional(i64), leverage: optional(u32) }],
  scheduleCancel: [10, { timeMs: optional(u53) }],
  twap: [
    11,
    {
      market: u32,
      side,
      sizeLots: u63,
      minutes: u32,
      reduceOnly: optional(flag),
      randomize: optional(flag),
      start: optional(struct({ priceTicks: u32, above: flag })),
      stopTicks: optional(u32),
    },
  ],
  twapCancel: [12, { market: u32, id: u32 }],
  createSubAccount: [13, { name: since(1, optional(text(1, ACCOUNT_NAME_BYTES))) }],
  subTransfer: [14, { subAccount: address, deposit: flag, amount: u64 }],
  approveAgent: [15, { agent: address, name: optional(text(0, 16)), expiresMs: optional(u53) }],
  multiSig: [16, { signers: optional(struct({ authorised: signers, threshold: u32 })) }],
  approveBuilder: [17, { builder: address, maxFee: u32 }],
  registerReferrer: [18, { code: text(1, 20) }],
  setReferrer: [19, { code: text(1, 20) }],
  claimRewards: [20, {}],
  noop: [21, {}],
  createVault: [
    22,
    {
      amount: u64,
      name: since(1, optional(text(1, VAULT_NAME_BYTES))),
      description: since(1, optional(text(1, VAULT_DESCRIPTION_BYTES))),
    },
  ],
  vaultTransfer: [23, { vault: address, deposit: flag, amount: u64 }],
  vaultModify: [24, { vault: address, allowDeposits: flag }],
  delist: [25, { market: u32 }],
  setDisplayName: [26, { name: text(0, ACCOUNT_NAME_BYTES) }, 1],
  subAccountModify: [27, { subAccount: address, name: text(1, ACCOUNT_NAME_BYTES) }, 1],
};

const transaction = variants<Transaction>(
  'kind',
  8,
  Object.entries(KINDS).map(([kind, [tag, fields, change]]) => [kind, tag, { ...ENVELOPE, ...fields }, change] as const),
);

/** How blocks are made up: encoded in rows here, in columns by block-columns.ts. */
export const blockCodec: Codec<Block> = struct<Block>({ number: u53, timeMs: u53, transactions: list(transaction) });

/** Throws NOT_ENCODABLE for what is not a well-formed block. */
export function encodeBlock(value: Block): Uint8Array<ArrayBuffer> {
  return encode(blockCodec, value, 'block', new RowWriter(1 << 16));
}

/** Throws MALFORMED for bytes that `encodeBlock` does not make, UNKNOWN_VERSION for those of another version of it. */
export function decodeBlock(bytes: Uint8Array): Block {
  return decode(blockCodec, bytes, 'block');
}

/** Used again for every transaction: a writer of its own for each took a quarter of the time. */
const transactionWriter = new RowWriter(1 << 12);

/** One transaction by itself, with addresses of its own. Throws NOT_ENCODABLE. */
export function encodeTransaction(value: Transaction): Uint8Array<ArrayBuffer> {
  transactionWriter.reset();
  return encode(transaction, value, 'transaction', transactionWriter);
}

/** Throws MALFORMED, UNKNOWN_VERSION. */
export function decodeTransaction(bytes: Uint8Array): Transaction {
  return decode(transaction, bytes, 'transaction');
}

function encode<T>(codec: Codec<T>, value: T, name: string, writer: RowWriter): Uint8Array<ArrayBuffer> {
  writer.byte(VERSION);
  codec.write(writer, value, name);
  return writer.bytes();
}

function decode<T>(codec: Codec<T>, bytes: Uint8Array, name: string): T {
  const reader = new RowReader(bytes);
  const version = reader.byte();
  if (version !== VERSION) {
    throw new HeddleError(
      'UNKNOWN_VERSION',
      `the ${name} is in version ${version} of the encoding, this program reads version ${VERSION}: use a release that knows it`,
    );
  }
  const value = codec.read(reader, 0, name);
  reader.end();
  return value;
}
