/** Dormant accounts in the twin: the bytes that are left of one, written out by hand, and everything that keeps an account awake. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CODE_OK } from '../base/codes.ts';
import type { Address, Transaction } from '../ledger/transactions.ts';
import type { Genesis } from './genesis.ts';
import { NaiveLedger } from './naive.ts';
import { sampleMarket } from './sample-market.ts';

const DAY_MS = 86_400_000;
/** Day 20000 since 1970. */
const START_MS = 20_000 * DAY_MS;
const address = (n: number): Address => `0x${n.toString(16).padStart(40, '0')}`;
const [A, B, GIVER] = [address(0xa), address(0xb), address(0xc)];
const MARKET = sampleMarket();

const GENESIS: Genesis = {
  maxAccounts: 20,
  orderPages: 1,
  tokens: [{ name: 'USD', decimals: 6 }],
  markets: [MARKET],
  dormantDays: 3,
  exchange: { subAccountsFirstVolume: 0n, vaultMinimum: 1n },
  accounts: [A, B, GIVER].map((of) => ({ address: of, balances: [{ token: 0, amount: 10n ** 12n }], collateral: 10n ** 12n })),
};

class Days {
  readonly ledger = new NaiveLedger(GENESIS);
  day = 0;
  number = 0;

  /** A block this many days after the one before, all of whose transactions succeed. */
  run(days: number, ...transactions: Transaction[]): void {
    this.day += days;
    this.number++;
    const receipts = this.ledger.executeBlock({ number: this.number, timeMs: START_MS + this.day * DAY_MS, transactions });
    transactions.forEach(({ kind }, i) => {
      assert.equal(receipts[i]?.code, CODE_OK, kind);
    });
  }

  isDormant(of: Address): boolean {
    return this.ledger.state.dormant.has(of);
  }
}

const poke: Transaction = { kind: 'noop', sender: GIVER };

test('what is left of an account', () => {
  const days = new Days();
  const fresh = address(0x1234);
  const nonce = BigInt(START_MS);
  days.run(0, { kind: 'transfer', sender: GIVER, recipient: fresh, token: 0, amount: 0x105n });
  days.run(0, { kind: 'transfer', sender: fresh, nonce, recipient: GIVER, token: 0, amount: 3n });
  for (let i = 0; i < 3; i++) days.run(1, poke);
  const value = days.ledger.state.dormant.get(fresh)?.value.toHex();
  assert.equal(
    value,
    [
      // Account: 1 nonce from place 0, a user, active on day 20000 + 1, smallest and largest nonce, address.
      '01 00 2d 01 00 00 00 214e0000 0080d35492010000 0080d35492010000 0000000000000000000000000000000000001234',
      // Nonces, chunk 0. Balance of token 0.
      '02 04 00000000 07 0080d3549201 03 04 00000000 03 0201',
    ]
      .join('')
      .replaceAll(' ', ''),
  );
  assert.equal(days.ledger.accounts.numberOf(fresh), undefined);
});

test('a name is left, and comes back', () => {
  const days = new Days();
  days.run(0, { kind: 'setDisplayName', sender: A, name: 'Ada' }, poke);
  for (let i = 0; i < 3; i++) days.run(1, poke);
  const value = days.ledger.state.dormant.get(A)?.value.toHex() ?? '';
  // Between the balance and the margin account.
  assert.match(value, /^0100.*0304000000000[^z]*06000441646110/);
  assert.ok(!days.ledger.records().some(({ recordClass }) => recordClass === 'name'));
  days.run(0, { kind: 'transfer', sender: GIVER, recipient: A, token: 0, amount: 1n });
  const names = days.ledger.records().filter(({ recordClass }) => recordClass === 'name');
  assert.deepEqual(
    names.map(({ key, value: text }) => [key.toHex(), text.toHex()]),
    [['0600000000', `416461${'00'.repeat(21)}`]],
  );
});

test('it comes back under the lowest free number, with all it had', () => {
  const days = new Days();
  days.run(0, { kind: 'updateLeverage', sender: B, market: 0, leverage: 7, isolated: false }, poke);
  for (let i = 0; i < 5; i++) days.run(1, poke);
  assert.ok(days.isDormant(A) && days.isDormant(B) && !days.isDormant(GIVER));
  days.run(0, { kind: 'transfer', sender: GIVER, recipient: B, token: 0, amount: 1n });
  assert.equal(days.ledger.accounts.numberOf(B), 0, 'the number that A had');
  assert.equal(days.ledger.accounts.balance(0, 0), 10n ** 12n + 1n);
  assert.equal(days.ledger.state.margin(0).collateral, 10n ** 12n);
  assert.equal(days.ledger.state.leverageOf(0, 0), 7);
  for (let i = 0; i < 2; i++) days.run(1, poke);
  assert.ok(!days.isDormant(B), 'it was active when it was named');
  days.run(1, poke);
  assert.ok(days.isDormant(B));
});

test('who is active, new, or has something open is not dormant', () => {
  const order = { op: 'place', market: 0, side: 'buy', tif: 'gtc', priceTicks: 900, sizeLots: 1n } as const;
  const keeps: Readonly<Record<string, readonly Transaction[]>> = {
    'an open order': [{ kind: 'orders', sender: A, items: [order] }],
    'an agent': [{ kind: 'approveAgent', sender: A, agent: address(0x51) }],
    signers: [{ kind: 'multiSig', sender: A, signers: { authorised: [address(0x52)], threshold: 1 } }],
    'being a signer': [{ kind: 'multiSig', sender: B, signers: { authorised: [A], threshold: 1 } }],
    'a sub-account': [{ kind: 'createSubAccount', sender: A }],
    'a vault': [{ kind: 'createVault', sender: A, amount: 1000n }],
    'an approval of a builder': [{ kind: 'approveBuilder', sender: A, builder: B, maxFee: 5 }],
    'being a builder': [{ kind: 'approveBuilder', sender: B, builder: A, maxFee: 5 }],
    'a referral code': [{ kind: 'registerReferrer', sender: A, code: 'CODE' }],
    'a running TWAP': [
      { kind: 'twap', sender: A, market: 0, side: 'buy', sizeLots: 10_000n, minutes: 10_080, randomize: false, reduceOnly: false },
    ],
    'a position': [
      { kind: 'orders', sender: A, items: [{ ...order, priceTicks: 1000 }] },
      { kind: 'orders', sender: B, items: [{ ...order, side: 'sell', priceTicks: 1000 }] },
    ],
  };
  for (const [name, transactions] of Object.entries(keeps)) {
    const days = new Days();
    days.run(0, ...transactions, poke);
    for (let i = 0; i < 5; i++) days.run(1, poke);
    assert.ok(!days.isDormant(A), name);
  }
  const days = new Days();
  days.run(0, poke);
  for (let i = 0; i < 6; i++) days.run(1, { kind: 'noop', sender: A });
  assert.ok(!days.isDormant(A), 'who sends');
  assert.ok(days.isDormant(B) && days.isDormant(GIVER), 'who does not');
});

test('whose builder is in an open order is not dormant, though the approval is gone', () => {
  const days = new Days();
  const order = { op: 'place', market: 0, side: 'buy', tif: 'gtc', priceTicks: 900, sizeLots: 1n } as const;
  days.run(
    0,
    { kind: 'approveBuilder', sender: B, builder: A, maxFee: 5 },
    { kind: 'orders', sender: B, builder: { address: A, fee: 5 }, items: [order] },
    { kind: 'approveBuilder', sender: B, builder: A, maxFee: 0 },
  );
  for (let i = 0; i < 6; i++) days.run(1, poke);
  assert.ok(!days.isDormant(A));
  days.run(0, { kind: 'orders', sender: B, items: [{ op: 'cancel', market: 0, oid: days.ledger.openOrders(1)[0]?.oid ?? 0n }] });
  days.run(1, poke);
  assert.ok(days.isDormant(A));
});

test('volume of the last days keeps an account awake until it has fallen out of the history', () => {
  const days = new Days();
  const order = (sender: Address, side: 'buy' | 'sell'): Transaction => ({
    kind: 'orders',
    sender,
    items: [{ op: 'place', market: 0, side, tif: 'gtc', priceTicks: 1000, sizeLots: 1n }],
  });
  days.run(0, order(A, 'buy'), order(GIVER, 'sell'), order(A, 'sell'), order(GIVER, 'buy'));
  for (let i = 0; i < 14; i++) {
    days.run(1, poke);
    assert.ok(!days.isDormant(A), `day ${i + 1}`);
  }
  days.run(1, poke);
  assert.ok(days.isDormant(A));
  days.run(0, { kind: 'noop', sender: A });
  days.run(1, poke);
  assert.ok(!days.isDormant(A));
});
