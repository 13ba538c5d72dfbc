/**
 * Blocks of flows as clients would have sent them: flows are written in the kernel's form, with account numbers, without nonces.
 *
 * Addresses are hashes of account numbers, as real ones look; a nonce is the time of sending in milliseconds, some tenth of a second before
 * its block, and above the sender's last one. Only what flows are made of is known here: orders with oids, and reports of prices.
 */
import { createHash } from 'node:crypto';
import { assert } from '../base/assert.ts';
import { Random } from '../base/random.ts';
import * as X from '../exchange/layout.ts';
import type { PreparedBlock } from '../execution/api.ts';
import { TX_ITEMS, TX_KIND, TX_PAYLOAD, TX_SENDER } from '../kernel/layout.ts';
import type { Address, Block, OrderItem, TimeInForce, Transaction } from '../ledger/transactions.ts';

const TIFS: readonly TimeInForce[] = ['gtc', 'ioc', 'alo', 'market', 'fok'];
const DELAY_MS = 100;

export class ClientBlocks {
  private readonly addresses = new Map<number, Address>();
  private readonly lastNonces = new Map<Address, bigint>();
  private readonly random: Random;
  private lastTimeMs: number | undefined;

  constructor(seed: number) {
    this.random = new Random(seed);
  }

  /** Blocks have to come in their order. */
  next({ number, timeMs, count, bytes, offsets }: PreparedBlock): Block {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const fromMs = Math.min(this.lastTimeMs ?? timeMs, timeMs);
    const transactions = Array.from({ length: count }, (_, i): Transaction => {
      const at = offsets[i] as number;
      const sender = this.address(view.getUint32(at + TX_SENDER, true));
      const nonce = this.nonce(sender, fromMs + Math.floor(((timeMs - fromMs) * i) / count));
      const items = view.getUint16(at + TX_ITEMS, true);
      const kind = view.getUint8(at + TX_KIND);
      assert(kind === X.KIND_ORDERS || kind === X.KIND_ORACLE, `a transaction of kind ${kind} in a flow`);
      if (kind === X.KIND_ORDERS)
        return { kind: 'orders', sender, nonce, items: Array.from({ length: items }, (_, item) => itemOf(view, at, item)) };
      const prices = Array.from({ length: items }, (_, item) => {
        const price = at + TX_PAYLOAD + item * X.ORACLE_ITEM_BYTES;
        return { market: view.getUint32(price, true), spot: [view.getUint32(price + X.ORACLE_SPOT, true)] };
      });
      return { kind: 'oracle', sender, nonce, prices };
    });
    this.lastTimeMs = timeMs;
    return { number, timeMs, transactions };
  }

  private address(account: number): Address {
    const known = this.addresses.get(account);
    if (known !== undefined) return known;
    const address = hashedAddress(String(account));
    this.addresses.set(account, address);
    return address;
  }

  private nonce(sender: Address, timeMs: number): bigint {
    const sent = BigInt(timeMs - this.random.below(DELAY_MS));
    const last = this.lastNonces.get(sender);
    const nonce = last === undefined || sent > last ? sent : last + 1n;
    this.lastNonces.set(sender, nonce);
    return nonce;
  }
}

/** An address that looks like one of a key. */
export function hashedAddress(of: string): Address {
  return `0x${createHash('sha256').update(of).digest('hex').slice(0, 40)}`;
}

function itemOf(view: DataView, transaction: number, item: number): OrderItem {
  const at = transaction + X.ORDERS_ITEMS + item * X.ITEM_BYTES;
  const market = view.getUint32(at + X.ITEM_MARKET, true);
  const oid = view.getBigUint64(at + X.ITEM_OID, true);
  const sizeLots = view.getBigUint64(at + X.ITEM_SIZE, true);
  const op = view.getUint8(at + X.ITEM_OP);
  if (op === X.OP_CANCEL) return { op: 'cancel', market, oid };
  if (op === X.OP_REDUCE) return { op: 'reduce', market, oid, sizeLots };
  assert(op === X.OP_PLACE || op === X.OP_MODIFY, `operation ${op} in a flow`);
  const terms = {
    market,
    side: (view.getUint8(at + X.ITEM_FLAGS) & X.FLAG_SELL) === 0 ? ('buy' as const) : ('sell' as const),
    tif: TIFS[view.getUint8(at + X.ITEM_TIF) - X.TIF_GTC] as TimeInForce,
    priceTicks: view.getUint32(at + X.ITEM_PRICE, true),
    sizeLots,
  };
  return op === X.OP_PLACE ? { op: 'place', ...terms } : { op: 'modify', ...terms, target: oid };
}
