/**
 * Orders as clients send them, signed beforehand: the chain that they are for, and the bodies of the requests.
 *
 * Prices of both sides lie around one that goes up and down: what rests on its way is traded when it comes back, so books stay as small as they are, however
 * many orders there were. About half of them trade at once.
 * Invariant: nonces of an account rise, and every request is good: whatever the node refuses, it refuses for its own reasons.
 */
import { createHash, hash } from 'node:crypto';
import { Random } from '../base/random.ts';
import type { Genesis } from '../exchange/genesis.ts';
import { protocolMarket } from '../exchange/sample-market.ts';
import { formatSignature, type Signature } from '../sdk/signature.ts';
import { requestPreimage } from '../sdk/signed-request.ts';
import { SignerKey } from '../sdk/signer-key.ts';
import type { ActionOf } from '../sdk/wire-actions.ts';
import { type BulkSigner, loadBulkSigner } from '../signatures/bulk-signing.ts';

const ACCOUNTS = 2000;
const MARKETS = 4;
const USD = 1_000_000n;
const COLLATERAL = 1_000_000_000n * USD;
const PRICE = 3000;
const SIZE_DECIMALS = 4;
/** How far an order is from the price in the middle: at most so far on the side where it waits, or so far where it trades. */
const PASSIVE = 2;
const EAGER = 3;
/** How far the price in the middle goes up and down, and orders until it takes a step. */
const SWING = 10;
const STEP_ORDERS = 100;
const CHAIN = 'Testnet';

/** Keys that follow from their number: for a chain that lives as long as the measurement. */
function keyOf(account: number): Buffer {
  return createHash('sha256').update(`heddle benchmark key ${account}`).digest();
}

export function apiGenesis(): Genesis {
  return {
    maxAccounts: 2048,
    orderPages: 32,
    tokens: [{ name: 'USDC', decimals: 6 }],
    markets: Array.from({ length: MARKETS }, (_, i) => protocolMarket(`M${i}`, SIZE_DECIMALS, PRICE)),
    accounts: Array.from({ length: ACCOUNTS }, (_, account) => ({
      address: new SignerKey(keyOf(account).toString('hex')).address,
      balances: [{ token: 0, amount: COLLATERAL }],
      collateral: COLLATERAL,
    })),
  };
}

/** What a thread of the pool gets of a request. */
export interface Presigned {
  /** JSON, as it stands in a body of `POST /exchange`. */
  readonly body: string;
  readonly preimage: ReturnType<typeof requestPreimage>;
  readonly signature: Signature;
}

export class RequestMaker {
  private readonly sign: BulkSigner;
  private readonly random: Random;
  private readonly keys = Array.from({ length: ACCOUNTS }, (_, account) => keyOf(account));
  private account = 0;
  private nonce: number;
  private ordersMade = 0;

  private constructor(sign: BulkSigner, seed: number, nonce: number) {
    this.sign = sign;
    this.random = new Random(seed);
    this.nonce = nonce;
  }

  /** `nonce`: the first one; a time in ms that is not far from now. */
  static async create(seed: number, nonce: number): Promise<RequestMaker> {
    return new RequestMaker(await loadBulkSigner(), seed, nonce);
  }

  /** A request with so many orders, of the next account in turn. */
  next(orders: number): Presigned {
    const account = this.account++ % ACCOUNTS;
    // All accounts have the nonce once before it rises: a day of it is more than any run signs.
    if (account === 0) this.nonce++;
    const { nonce } = this;
    const action: ActionOf<'order'> = { type: 'order', orders: Array.from({ length: orders }, () => this.order()), grouping: 'na' };
    const preimage = requestPreimage({ action, nonce }, CHAIN);
    const digest = preimage.prefixes.reduce((inner, prefix) => keccak(Buffer.concat([prefix, inner])), keccak(preimage.message));
    const signature = this.sign(digest, this.keys[account] as Buffer);
    return { body: JSON.stringify({ action, nonce, signature: formatSignature(signature), vaultAddress: null }), preimage, signature };
  }

  private order(): ActionOf<'order'>['orders'][number] {
    const { random } = this;
    const isBuy = random.chance(0.5);
    const eager = random.below(PASSIVE + EAGER + 1) - PASSIVE;
    return {
      a: random.below(MARKETS),
      b: isBuy,
      p: String(this.middle() + (isBuy ? eager : -eager)),
      s: `0.${1 + random.below(9)}`,
      r: false,
      t: { limit: { tif: 'Gtc' } },
    };
  }

  /** Up and down by whole steps. */
  private middle(): number {
    const step = Math.floor(this.ordersMade++ / STEP_ORDERS) % (4 * SWING);
    return PRICE - SWING + (step <= 2 * SWING ? step : 4 * SWING - step);
  }
}

function keccak(bytes: Uint8Array): Buffer {
  return hash('keccak-256', bytes, 'buffer');
}
