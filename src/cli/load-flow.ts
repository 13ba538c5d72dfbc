/**
 * What `heddle load` sends: a ledger with four markets, and transfers and orders of its accounts.
 *
 * Every account has a few client ids in each market and gives its orders those, so however long the load goes on, the books stay as large as
 * they are. Nonces come from the time at which the load began, so that a later one can go on.
 */
import { Random } from '../base/random.ts';
import type { Genesis } from '../exchange/genesis.ts';
import { sampleMarket } from '../exchange/sample-market.ts';
import type { OrderItem, Transaction } from '../ledger/transactions.ts';

const ACCOUNTS = 2000;
const MARKETS = 4;
const TOKEN = 0;
/** Far above what the load's positions can lose. */
const FUNDS = 10n ** 15n;
const CENTRE_TICKS = 30_000;
const DEVIATION_TICKS = 100;
const CLIENT_IDS = 4;
const SHARE_TRANSFERS = 0.25;
const SHARE_IOC = 0.15;

const address = (account: number): string => `0x${(account + 1).toString(16).padStart(40, '0')}`;

export function loadGenesis(): Genesis {
  return {
    maxAccounts: ACCOUNTS,
    orderPages: 1,
    tokens: [{ name: 'USDC', decimals: 6 }],
    markets: Array.from({ length: MARKETS }, (_, market) =>
      sampleMarket({ name: `M${market}`, tickCount: 65_536, markTicks: CENTRE_TICKS }),
    ),
    accounts: Array.from({ length: ACCOUNTS }, (_, account) => ({
      address: address(account),
      balances: [{ token: TOKEN, amount: FUNDS }],
      collateral: FUNDS,
    })),
  };
}

/** `startMs`: later than any transaction before. */
export function* loadTransactions(count: number, seed: number, startMs: number): Generator<Transaction> {
  const random = new Random(seed);
  const nonces = new Float64Array(ACCOUNTS).fill(startMs);
  for (let i = 0; i < count; i++) {
    const account = random.below(ACCOUNTS);
    const nonce = BigInt((nonces[account] as number)++);
    const sender = address(account);
    if (random.chance(SHARE_TRANSFERS)) {
      const amount = BigInt(1 + random.below(1000));
      yield { kind: 'transfer', sender, nonce, recipient: address(random.below(ACCOUNTS)), token: TOKEN, amount };
    } else yield { kind: 'orders', sender, nonce, items: [order(random, account)] };
  }
}

function order(random: Random, account: number): OrderItem {
  const market = random.below(MARKETS);
  const isBuy = random.chance(0.5);
  const sizeLots = BigInt(1 + random.below(50));
  const side = isBuy ? 'buy' : 'sell';
  if (random.chance(SHARE_IOC)) {
    const priceTicks = CENTRE_TICKS + (isBuy ? DEVIATION_TICKS : -DEVIATION_TICKS);
    return { op: 'place', market, side, tif: 'ioc', priceTicks, sizeLots };
  }
  const distance = 1 + random.below(DEVIATION_TICKS);
  const number = (account * MARKETS + market) * CLIENT_IDS + random.below(CLIENT_IDS);
  const clientId = `0x${(number + 1).toString(16).padStart(32, '0')}`;
  const priceTicks = CENTRE_TICKS + (isBuy ? -distance : distance);
  return { op: 'modify', market, target: clientId, always: true, side, tif: 'gtc', priceTicks, sizeLots, clientId };
}
