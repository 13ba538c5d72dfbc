/**
 * Hand-worked examples of docs/rules.md, sections 3, 7 and 8, for the naive twin: who may act for whom, money, builders and referrers, fee
 * tiers, leverage and isolated margin, vaults.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import {
  CAUSE_VAULT,
  CODE_ACCOUNT_LIMIT,
  CODE_AGENT_ADDRESS,
  CODE_AGENT_LIMIT,
  CODE_AGENT_UNKNOWN,
  CODE_BALANCE_OVERFLOW,
  CODE_BEHALF_UNKNOWN,
  CODE_BUILDER_FEE,
  CODE_CROSS_NOT_ALLOWED,
  CODE_INSUFFICIENT_BALANCE,
  CODE_INSUFFICIENT_MARGIN,
  CODE_INSUFFICIENT_WITHDRAWABLE,
  CODE_INVALID_LEVERAGE,
  CODE_INVALID_NAME,
  CODE_INVALID_RECIPIENT,
  CODE_INVALID_THRESHOLD,
  CODE_MARGIN_NOT_REMOVABLE,
  CODE_MULTI_SIG_REQUIRED,
  CODE_MULTI_SIG_SIGNER,
  CODE_MULTI_SIG_THRESHOLD,
  CODE_MULTI_SIG_USER,
  CODE_NO_DEPOSIT,
  CODE_NO_ISOLATED_POSITION,
  CODE_NO_REWARDS,
  CODE_NONCE_DUPLICATE,
  CODE_NOT_AUTHORISED,
  CODE_NOT_OWNER,
  CODE_OK,
  CODE_REFERRAL_SET,
  CODE_REFERRAL_TAKEN,
  CODE_REFERRAL_UNKNOWN,
  CODE_SUB_ACCOUNT_LIMIT,
  CODE_UNKNOWN_MARKET,
  CODE_VAULT_CLOSED,
  CODE_VAULT_LEADER_SHARE,
  CODE_VAULT_LIMIT,
  CODE_VAULT_LOCKED,
  CODE_VAULT_MINIMUM,
  CODE_VAULT_SHARES,
  CODE_VAULT_UNKNOWN,
  CODE_ZERO_AMOUNT,
  REASON_WITHDRAWAL,
} from '../base/codes.ts';
import type { Address, OrdersTransaction, Transaction } from '../ledger/transactions.ts';
import {
  A,
  address,
  B,
  Bench,
  buy,
  C,
  cancels,
  DAY,
  fills,
  moneyOf,
  NOBODY,
  ORACLE,
  orders,
  STRANGER,
  sell,
  TIME,
  types,
  word,
} from './naive-bench.ts';

const X = address(21);
const Y = address(22);
const U64_MAX = 2n ** 64n - 1n;

let nonces = 0;

/** With a nonce that is new: signed by its sender. */
function signed<T extends Transaction>(transaction: T): T {
  return { ...transaction, nonce: BigInt(TIME + nonces++) };
}

/** The address that a transaction makes, by the platform's SHA-256. */
function madeAddress(kind: string, sender: Address, block: number, index = 0): Address {
  return `0x${createHash('sha256').update(`heddle ${kind}:${sender}:${block}:${index}`).digest('hex').slice(0, 40)}`;
}

// Agents

test('agents: act for their master from the next block until they expire, but not with its money', () => {
  const bench = new Bench();
  const order = (sender: Address): Transaction => signed(orders(sender, buy(1, 50)));
  const [approved, tooEarly] = bench.block({ kind: 'approveAgent', sender: A, agent: X, name: 'bot', expiresMs: TIME + 1000 }, order(X));
  assert.deepEqual([approved?.code, approved?.events], [CODE_OK, [{ type: 'created', role: 1, account: 4, owner: 0 }]]);
  assert.equal(tooEarly?.code, CODE_AGENT_UNKNOWN);
  const { role, owner, expiresMs, nonces } = bench.account(4);
  assert.deepEqual([role, owner, expiresMs, nonces], [1, 0, BigInt(TIME + 1000), 1], 'the nonce is used up');
  const name = word(0) + '626f74'.padEnd(32, '0');
  assert.equal(bench.record('agent name', name)?.getUint32(0, true), 5);
  assert.equal(bench.account(0).agents, 1);

  assert.deepEqual(bench.codes(order(X)), [CODE_OK]);
  assert.equal(bench.ledger.openOrders(0).length, 1);
  const closed: Transaction[] = [
    { kind: 'transfer', sender: X, recipient: X, token: 0, amount: 1n },
    { kind: 'deposit', sender: X, amount: 1n },
    { kind: 'toSpot', sender: X, amount: 1n },
    { kind: 'sendPerp', sender: X, recipient: X, amount: 1n },
    { kind: 'withdraw', sender: X, amount: 1n },
    { kind: 'approveAgent', sender: X, agent: Y },
    { kind: 'multiSig', sender: X },
    { kind: 'approveBuilder', sender: X, builder: C, maxFee: 1 },
  ];
  assert.deepEqual(
    bench.codes(...closed.map(signed)),
    closed.map(() => CODE_NOT_AUTHORISED),
  );
  assert.deepEqual(bench.codes(orders(X, buy(1, 50))), [CODE_OK], 'authenticated by the host it is itself, without a deposit');
  assert.equal(bench.ledger.openOrders(0).length, 1);

  bench.timeMs = TIME + 999;
  assert.deepEqual(bench.codes(order(X)), [CODE_OK]);
  bench.timeMs = TIME + 1000;
  assert.deepEqual(bench.codes(order(X)), [CODE_AGENT_UNKNOWN]);
  assert.deepEqual(bench.codes({ kind: 'approveAgent', sender: A, agent: X, name: 'bot' }, order(X)), [CODE_OK, CODE_OK]);
  assert.deepEqual([bench.account(4).expiresMs, bench.account(0).agents], [U64_MAX, 1]);
});

test('agents: a name has one agent; who was replaced is free for others', () => {
  const bench = new Bench();
  const approve = (sender: Address, agent: Address, name: string): Transaction => ({ kind: 'approveAgent', sender, agent, name });
  const order = (sender: Address): Transaction => signed(orders(sender, buy(1, 50)));
  bench.done(approve(A, X, 'bot'));
  assert.deepEqual(bench.codes(approve(A, Y, 'bot'), order(X), order(Y)), [CODE_OK, CODE_AGENT_UNKNOWN, CODE_AGENT_UNKNOWN]);
  assert.deepEqual([bench.account(4).role, bench.account(5).role, bench.account(0).agents], [4, 1, 1]);
  assert.deepEqual(bench.codes(order(X), order(Y)), [CODE_AGENT_UNKNOWN, CODE_OK]);
  assert.deepEqual(bench.codes(approve(B, Y, 'bot'), approve(B, X, 'bot')), [CODE_AGENT_ADDRESS, CODE_OK]);
  assert.deepEqual([bench.account(4).role, bench.account(4).owner], [1, 1]);
});

test('agents: what cannot be one, and how many there may be', () => {
  const bench = new Bench({ maxAccounts: 32, exchange: { subAccountsFirstVolume: 0n } });
  let next = 50;
  const approve = (more: { agent?: Address; name?: string; expiresMs?: number }): Transaction => ({
    kind: 'approveAgent',
    sender: A,
    agent: address(next++),
    ...more,
  });
  const latest = TIME + 180 * DAY;
  assert.deepEqual(
    bench.codes(
      approve({ agent: A }),
      approve({ agent: B }),
      approve({ expiresMs: TIME }),
      approve({ expiresMs: latest + 1 }),
      approve({ name: '1', expiresMs: TIME + 1 }),
      approve({ name: '2', expiresMs: latest }),
      approve({ name: '3' }),
      approve({ name: '4' }),
      approve({ name: '3' }),
      approve({}),
      approve({ name: '' }),
      { kind: 'createSubAccount', sender: A },
      approve({ name: '4' }),
      approve({ name: '5' }),
      approve({ name: '6' }),
    ),
    [
      CODE_AGENT_ADDRESS,
      CODE_AGENT_ADDRESS,
      CODE_AGENT_ADDRESS,
      CODE_AGENT_ADDRESS,
      CODE_OK,
      CODE_OK,
      CODE_OK,
      CODE_AGENT_LIMIT,
      CODE_OK,
      CODE_OK,
      CODE_OK,
      CODE_OK,
      CODE_OK,
      CODE_OK,
      CODE_AGENT_LIMIT,
    ],
  );
  assert.deepEqual([bench.account(0).agents, bench.account(0).subAccounts], [5, 1]);
});

// Multi-signature users

test('multi-sig: signers act for the user, enough of them and of the present set', () => {
  const bench = new Bench();
  const convert = (authorised: Address[], threshold: number): Transaction => ({
    kind: 'multiSig',
    sender: A,
    signers: { authorised, threshold },
  });
  assert.deepEqual(bench.codes(convert([B, C], 0), convert([B, C], 3), convert([], 1), convert([A, B], 1)), [
    CODE_INVALID_THRESHOLD,
    CODE_INVALID_THRESHOLD,
    CODE_INVALID_THRESHOLD,
    CODE_MULTI_SIG_SIGNER,
  ]);
  assert.deepEqual(bench.codes(convert([B, STRANGER], 2)), [CODE_OK]);
  assert.deepEqual([bench.account(0).threshold, bench.account(0).signerSet], [2, 1]);
  assert.deepEqual(
    [1, 4].map((signer) => bench.record('signer', word(0) + word(signer))?.getUint32(0, true)),
    [1, 1],
  );
  assert.equal(bench.account(4).role, 0, 'a signer without an account record gets one');

  const noop = { kind: 'noop', sender: A } as const;
  assert.deepEqual(bench.codes(signed(noop), noop), [CODE_MULTI_SIG_REQUIRED, CODE_OK]);
  const move = (signers: Address[], user = A): Transaction => ({
    ...signed({ kind: 'transfer', sender: B, recipient: C, token: 0, amount: 10n }),
    multiSig: { user, signers },
  });
  assert.deepEqual(
    bench.codes(
      move([B]),
      move([STRANGER]),
      move([B, C]),
      move([B, address(99)]),
      move([B, STRANGER], C),
      move([B, STRANGER], address(99)),
      move([B, STRANGER]),
    ),
    [
      CODE_MULTI_SIG_THRESHOLD,
      CODE_MULTI_SIG_SIGNER,
      CODE_MULTI_SIG_SIGNER,
      CODE_MULTI_SIG_SIGNER,
      CODE_MULTI_SIG_USER,
      CODE_MULTI_SIG_USER,
      CODE_OK,
    ],
  );
  assert.deepEqual(
    [0, 1, 2].map((account) => bench.ledger.accounts.balance(account, 0)),
    [990n, 1000n, 1010n],
  );
  assert.deepEqual([bench.account(0).nonces, bench.account(1).nonces], [1, 7], 'nonces are those of the signer that leads');

  // The set changes: the records of B and STRANGER are of the set before.
  const led = (sender: Address, signers: Address[], more: object): Transaction =>
    ({ ...signed({ kind: 'multiSig', sender, ...more }), multiSig: { user: A, signers } }) as Transaction;
  assert.deepEqual(bench.codes(led(B, [STRANGER, B], { signers: { authorised: [C], threshold: 1 } })), [CODE_OK]);
  assert.deepEqual([bench.account(0).threshold, bench.account(0).signerSet], [1, 2]);
  assert.deepEqual(
    [1, 2, 4].map((signer) => bench.record('signer', word(0) + word(signer))?.getUint32(0, true)),
    [1, 2, 1],
  );
  assert.deepEqual(bench.codes(move([B, STRANGER]), led(C, [C], {}), signed(noop), led(C, [C], {})), [
    CODE_MULTI_SIG_SIGNER,
    CODE_OK,
    CODE_OK,
    CODE_MULTI_SIG_USER,
  ]);
  assert.deepEqual([bench.account(0).threshold, bench.account(0).signerSet], [0, 3]);
});

test('multi-sig: the version of the set wraps from 255 to 1', () => {
  const bench = new Bench();
  const convert: Transaction = { kind: 'multiSig', sender: A, signers: { authorised: [B], threshold: 1 } };
  bench.codes(...Array.from({ length: 255 }, () => convert));
  assert.equal(bench.account(0).signerSet, 255);
  bench.done(convert);
  assert.equal(bench.account(0).signerSet, 1);
});

test('admission: numbers for all authorised signers or for none', () => {
  const bench = new Bench({ maxAccounts: 5 });
  const authorised = [address(31), address(32)];
  assert.deepEqual(
    bench.codes(
      { kind: 'multiSig', sender: A, signers: { authorised, threshold: 1 } },
      { kind: 'multiSig', sender: A, signers: { authorised: authorised.slice(1), threshold: 1 } },
      { kind: 'createSubAccount', sender: A },
    ),
    [CODE_ACCOUNT_LIMIT, CODE_OK, CODE_ACCOUNT_LIMIT],
  );
  assert.equal(bench.ledger.accounts.numberOf(address(32)), 4);
});

// Sub-accounts and money

test('sub-accounts: made, paid into, acted for', () => {
  const bench = new Bench({ exchange: { subAccountsFirstVolume: 0n, subAccountsBase: 1 } });
  const create = (sender: Address): Transaction => ({ kind: 'createSubAccount', sender });
  const sub = madeAddress('createSubAccount', A, 1);
  assert.deepEqual(bench.done(create(A)), [{ type: 'created', role: 2, account: 4, owner: 0 }]);
  assert.equal(bench.ledger.accounts.numberOf(sub), 4);
  assert.deepEqual([bench.account(0).subAccounts, bench.account(4).role, bench.account(4).owner], [1, 2, 0]);
  assert.deepEqual(bench.codes(create(A), create(sub), create(B)), [CODE_SUB_ACCOUNT_LIMIT, CODE_NOT_AUTHORISED, CODE_OK]);
  assert.equal(bench.ledger.accounts.numberOf(madeAddress('createSubAccount', B, 2, 2)), 7, '5 and 6 went to the two that failed');

  const move = (amount: bigint, deposit: boolean, sender = A, subAccount = sub): Transaction => ({
    kind: 'subTransfer',
    sender,
    subAccount,
    deposit,
    amount,
  });
  assert.deepEqual(bench.done(move(500n, true)), [{ type: 'money', kind: 14, from: 0, to: 4, amount: 500n, fee: 0n, shares: 0n }]);
  assert.deepEqual([bench.margin(0).collateral, bench.margin(4).collateral], [999_500n, 500n]);
  assert.deepEqual(bench.longs('volume', word(4)), [0n, 0n, 0n]);
  assert.deepEqual(
    bench.codes(
      move(501n, false),
      move(1n, false, B),
      move(1n, true, A, B),
      move(1n, true, A, address(99)),
      move(0n, true),
      move(2n ** 59n + 1n, true),
      move(999_501n, true),
      move(200n, false),
    ),
    [
      CODE_INSUFFICIENT_WITHDRAWABLE,
      CODE_NOT_OWNER,
      CODE_NOT_OWNER,
      CODE_NOT_OWNER,
      CODE_ZERO_AMOUNT,
      CODE_BALANCE_OVERFLOW,
      CODE_INSUFFICIENT_WITHDRAWABLE,
      CODE_OK,
    ],
  );
  assert.deepEqual([bench.margin(0).collateral, bench.margin(4).collateral], [999_700n, 300n]);

  bench.done({ kind: 'approveAgent', sender: A, agent: X });
  const order = (sender: Address, behalf: Address): Transaction => ({ ...signed(orders(sender, buy(1, 50))), behalf });
  assert.deepEqual(
    bench.codes(
      order(A, sub),
      order(X, sub),
      { ...orders(A, buy(1, 50)), behalf: sub },
      order(B, sub),
      order(A, B),
      order(A, address(99)),
      signed(orders(sub, buy(1, 50))),
      { ...signed({ kind: 'transfer', sender: A, recipient: B, token: 0, amount: 1n }), behalf: sub },
      { ...signed({ kind: 'deposit', sender: A, amount: 50n }), behalf: sub },
      { kind: 'transfer', sender: A, recipient: sub, token: 0, amount: 50n },
      { ...signed({ kind: 'deposit', sender: A, amount: 50n }), behalf: sub },
    ),
    [
      CODE_OK,
      CODE_OK,
      CODE_OK,
      CODE_BEHALF_UNKNOWN,
      CODE_BEHALF_UNKNOWN,
      CODE_BEHALF_UNKNOWN,
      CODE_AGENT_UNKNOWN,
      CODE_NOT_AUTHORISED,
      CODE_INSUFFICIENT_BALANCE,
      CODE_OK,
      CODE_OK,
    ],
  );
  assert.deepEqual([bench.ledger.openOrders(4).length, bench.ledger.openOrders(0).length, bench.margin(4).collateral], [3, 0, 350n]);
});

const named = (name: string): string => name.padEnd(24, '\0');

test('names: of sub-accounts, of users, and what may not be one', () => {
  const bench = new Bench({ exchange: { subAccountsFirstVolume: 0n } });
  const nameOf = (account: number): string | undefined => {
    const view = bench.record('name', word(account));
    return view && Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString();
  };
  const sub = madeAddress('createSubAccount', A, 1);
  bench.done({ kind: 'createSubAccount', sender: A, name: 'hedge' });
  assert.equal(nameOf(4), named('hedge'));
  bench.done({ kind: 'createSubAccount', sender: A });
  assert.equal(nameOf(5), undefined);

  const modify = (name: string, sender = A, subAccount = sub): Transaction => ({ kind: 'subAccountModify', sender, subAccount, name });
  assert.deepEqual(bench.codes(modify('carry'), modify('mine', B), modify('mine', A, B), modify('mine', A, STRANGER)), [
    CODE_OK,
    CODE_NOT_OWNER,
    CODE_NOT_OWNER,
    CODE_NOT_OWNER,
  ]);
  assert.equal(nameOf(4), named('carry'));

  const display = (name: string, sender = A): Transaction => ({ kind: 'setDisplayName', sender, name });
  assert.deepEqual(bench.codes(display('Ada'), display('x', sub), { ...display('Ada', B), behalf: sub }), [
    CODE_OK,
    CODE_NOT_AUTHORISED,
    CODE_NOT_AUTHORISED,
  ]);
  assert.equal(nameOf(0), named('Ada'));
  for (const bad of [' a', 'a ', ' ', 'a\tb', '\n', 'a\x7f', '\x1f', 'a\x80', '\x9bm', '\x9f']) {
    const vault: Transaction = { kind: 'createVault', sender: A, amount: 1_000_000n, name: bad };
    const all = [display(bad), modify(bad), { kind: 'createSubAccount', sender: A, name: bad } as const, vault];
    assert.deepEqual(
      bench.codes(...all),
      all.map(() => CODE_INVALID_NAME),
      JSON.stringify(bad),
    );
  }
  for (const good of ['two words é 名', 'a\xa0b', 'ß\xc2\u0100', 'À\u{10ffff}']) {
    bench.done(display(good));
    assert.equal(nameOf(0), Buffer.from(named(good)).subarray(0, 24).toString());
  }
  bench.done(display(''));
  assert.equal(nameOf(0), undefined);
  // A name that is refused uses up no nonce: it is a static check.
  const nonce = signed(display(' a'));
  assert.deepEqual(bench.codes(nonce, { ...nonce, name: 'a' } as Transaction), [CODE_INVALID_NAME, CODE_OK]);
});

test('names: an agent gives them for its master', () => {
  const bench = new Bench();
  bench.done({ kind: 'approveAgent', sender: A, agent: X });
  bench.done(signed({ kind: 'setDisplayName', sender: X, name: 'Ada' }));
  assert.ok(bench.record('name', word(0)) !== undefined);
});

test('names: of a vault, with its description, in parts of 24 bytes', () => {
  const bench = new Bench({ exchange: { vaultMinimum: 1n } });
  const texts = { name: `${'a'.repeat(23)}éb`, description: `${'d'.repeat(24)}` };
  bench.done({ kind: 'createVault', sender: A, amount: 10n, ...texts });
  bench.done({ kind: 'createVault', sender: A, amount: 10n });
  const parts = bench.ledger.records().filter(({ recordClass }) => recordClass === 'vault text');
  assert.deepEqual(
    parts.map(({ key, value }) => `${key.toHex()} ${Buffer.from(value).toString('latin1')}`),
    [
      `2e${word(4)}${word(0)} ${'a'.repeat(23)}\xc3`,
      `2e${word(4)}${word(1)} ${'\xa9b'.padEnd(24, '\0')}`,
      `2e${word(4)}${word(3)} ${'d'.repeat(24)}`,
    ],
  );
});

test('sub-accounts: more with more volume', () => {
  const exchange = { subAccountsFirstVolume: 2000n, subAccountsBase: 0, subAccountsVolume: 1000n, subAccountsMax: 1 };
  const bench = new Bench({ exchange });
  assert.deepEqual(bench.codes({ kind: 'createSubAccount', sender: A }), [CODE_SUB_ACCOUNT_LIMIT]);
  bench.trade(A, B, 10, 100);
  const create: Transaction = { kind: 'createSubAccount', sender: A };
  assert.deepEqual(bench.codes(create, create), [CODE_OK, CODE_SUB_ACCOUNT_LIMIT]);
});

test('money: what may leave the collateral, and where it goes', () => {
  const bench = new Bench({
    markets: [{ leverage: 20 }],
    collateral: { [A]: 1000n, [C]: 0n },
    exchange: { withdrawFee: 100n },
  });
  const before = moneyOf(bench.ledger);
  // The initial margin is 100, but a tenth of the notional of 2000 has to stay, and the margin of the order: 1000 - 200 - 50.
  bench.trade(A, B, 10, 100);
  bench.item(A, buy(5, 100));
  const toSpot = (sender: Address, amount: bigint): Transaction => ({ kind: 'toSpot', sender, amount });
  assert.deepEqual(bench.codes(toSpot(A, 751n), toSpot(C, 1n)), [CODE_INSUFFICIENT_WITHDRAWABLE, CODE_NO_DEPOSIT]);
  assert.deepEqual(bench.done(toSpot(A, 750n)), [{ type: 'money', kind: 5, from: 0, to: NOBODY, amount: 750n, fee: 0n, shares: 0n }]);
  assert.deepEqual([bench.margin(0).collateral, bench.ledger.accounts.balance(0, 0)], [-1750n, 1750n]);
  assert.deepEqual(bench.codes(toSpot(A, 1n)), [CODE_INSUFFICIENT_WITHDRAWABLE]);

  const withdraw = (sender: Address, amount: bigint): Transaction => ({ kind: 'withdraw', sender, amount });
  assert.deepEqual(bench.codes(withdraw(B, 100n), withdraw(C, 100n)), [CODE_INSUFFICIENT_WITHDRAWABLE, CODE_NO_DEPOSIT]);
  assert.deepEqual(bench.done(withdraw(B, 101n)), [{ type: 'money', kind: 7, from: 1, to: NOBODY, amount: 101n, fee: 100n, shares: 0n }]);
  assert.deepEqual(bench.longs('treasury'), [100n, 1n, 0n]);

  const send = (sender: Address, recipient: Address, amount: bigint): Transaction => ({ kind: 'sendPerp', sender, recipient, amount });
  assert.deepEqual(bench.codes(send(B, B, 1n), send(C, address(50), 1n), send(C, C, 1n), send(B, STRANGER, 300n)), [
    CODE_INVALID_RECIPIENT,
    CODE_NO_DEPOSIT,
    CODE_INVALID_RECIPIENT,
    CODE_OK,
  ]);
  const stranger = bench.ledger.accounts.numberOf(STRANGER);
  assert.equal(stranger, 5, 'behind the recipient of the one that failed');
  assert.equal(bench.ledger.accounts.numberOf(address(50)), undefined);
  assert.deepEqual([bench.margin(5).collateral, bench.margin(1).collateral], [300n, 1_000_000n + 2000n - 101n - 300n]);
  assert.equal(moneyOf(bench.ledger), before);
});

// Builders, referrers, fee tiers

test('builders: get what was approved, and claim it', () => {
  const bench = new Bench({ markets: [{ takerFeePpm: 450, makerFeePpm: 150 }] });
  const before = moneyOf(bench.ledger);
  const approve = (maxFee: number, builder = C): Transaction => ({ kind: 'approveBuilder', sender: A, builder, maxFee });
  const built = (fee: number, ...items: OrdersTransaction['items']): Transaction => ({
    ...orders(A, ...items),
    builder: { address: C, fee },
  });
  assert.deepEqual(
    bench.codes(built(1, buy(1, 50)), approve(101), approve(1, STRANGER), approve(50), built(51, buy(1, 50)), built(0, buy(1, 50))),
    [CODE_BUILDER_FEE, CODE_BUILDER_FEE, CODE_BUILDER_FEE, CODE_OK, CODE_BUILDER_FEE, CODE_OK],
  );
  assert.equal(bench.record('builder approval', word(0) + word(2))?.getUint32(0, true), 50);

  // 1000 lots at 100: a notional of 200000, 450 ppm of it are 90, 150 ppm 30, 50 in 100000 are 100.
  bench.item(B, sell(1000, 100));
  const [fill] = fills(bench.done(built(50, buy(1000, 100))));
  assert.deepEqual(
    [fill?.fees, fill?.builderFees],
    [
      [190n, 30n],
      [100n, 0n],
    ],
  );
  assert.equal(bench.margin(0).collateral, 1_000_000n - 200_000n - 190n);
  assert.deepEqual(
    [bench.longs('rewards', word(2)), bench.totals()],
    [
      [100n, 0n, 0n],
      [200_000n, 1000n, 120n],
    ],
  );

  // As a maker: 220000, 150 ppm are 33, the builder's part is 110; the taker pays 99.
  bench.done(built(50, sell(1000, 110)));
  const extra = bench.record('order extra', word(0) + word(1));
  assert.deepEqual([extra?.getUint32(40, true), extra?.getUint16(44, true)], [3, 50], 'behind the order with a builder fee of 0');
  const [made] = fills(bench.send(B, buy(1000, 110)));
  assert.deepEqual(
    [made?.fees, made?.builderFees],
    [
      [99n, 143n],
      [0n, 110n],
    ],
  );

  const claim: Transaction = { kind: 'claimRewards', sender: C };
  assert.deepEqual(bench.done(claim), [{ type: 'money', kind: 20, from: NOBODY, to: 2, amount: 210n, fee: 0n, shares: 0n }]);
  assert.deepEqual([bench.margin(2).collateral, bench.longs('rewards', word(2))], [1_000_210n, [0n, 0n, 0n]]);
  assert.deepEqual(bench.codes(claim, approve(0), built(1, buy(1, 50))), [CODE_NO_REWARDS, CODE_OK, CODE_BUILDER_FEE]);
  assert.equal(bench.record('builder approval', word(0) + word(2)), undefined);
  assert.equal(moneyOf(bench.ledger), before);
});

test('referrers: a discount for the taker, a part of the rest for the referrer, up to a volume', () => {
  const bench = new Bench({ markets: [{ takerFeePpm: 450 }], collateral: { [ORACLE]: 0n }, exchange: { referralVolume: 200_000n } });
  const register = (sender: Address, code: string): Transaction => ({ kind: 'registerReferrer', sender, code });
  const set = (sender: Address, code: string): Transaction => ({ kind: 'setReferrer', sender, code });
  assert.deepEqual(
    bench.codes(
      register(ORACLE, 'HELLO'),
      register(B, 'HELLO'),
      register(A, 'HELLO'),
      set(A, 'HELL'),
      set(B, 'HELLO'),
      set(ORACLE, 'HELLO'),
      set(A, 'HELLO'),
      set(A, 'HELLO'),
    ),
    [
      CODE_NO_DEPOSIT,
      CODE_OK,
      CODE_REFERRAL_TAKEN,
      CODE_REFERRAL_UNKNOWN,
      CODE_INVALID_RECIPIENT,
      CODE_NO_DEPOSIT,
      CODE_OK,
      CODE_REFERRAL_SET,
    ],
  );
  assert.equal(bench.record('referral code', '48454c4c4f'.padEnd(40, '0'))?.getUint32(0, true), 2);
  assert.deepEqual([bench.margin(0).flags, bench.record('settings', word(0))?.getUint32(32, true)], [1, 2]);

  // 90, less 4 % (3.6): 87, of which 10 % (8.7) are 8 for B. Then A has traded 200000.
  const fees = (): (bigint | undefined)[] => {
    bench.item(C, sell(1000, 100));
    return [fills(bench.send(A, buy(1000, 100)))[0]?.fees[0], bench.longs('rewards', word(1))[1], bench.totals()[2]];
  };
  assert.deepEqual(fees(), [87n, 8n, 79n]);
  assert.deepEqual(fees(), [90n, 8n, 169n]);
});

test('fee tiers: by the volume of 14 days, from the roll of the day on; sub-accounts have that of their master', () => {
  const bench = new Bench({
    markets: [{ takerFeePpm: 450, makerFeePpm: 150 }],
    exchange: {
      feeTiers: [{ volume: 200_000n, takerPpm: 300, makerPpm: 100 }],
      makerRebates: [{ sharePpm: 500_000, makerPpm: -50 }],
      subAccountsFirstVolume: 0n,
    },
  });
  const sub = madeAddress('createSubAccount', A, 1);
  bench.done({ kind: 'createSubAccount', sender: A });
  bench.done({ kind: 'subTransfer', sender: A, subAccount: sub, deposit: true, amount: 100n });
  const fees = (): bigint[] | undefined => {
    bench.item(B, sell(1000, 100));
    return fills(bench.send(A, buy(1000, 100)))[0]?.fees;
  };
  const tiers = (): number[][] => [0, 1, 4].map((account) => [bench.margin(account).feeTier, bench.margin(account).makerTier]);
  assert.deepEqual(fees(), [90n, 30n]);
  assert.deepEqual(tiers(), [
    [0, 0],
    [0, 0],
    [0, 0],
  ]);
  assert.deepEqual(bench.longs('volume', word(0)), [200_000n, 0n, 200_000n]);

  // The next day. Day 20370 is field 0 of 14: part 0 for takers, part 2 for makers. B has made all of the makers' volume.
  bench.timeMs += DAY;
  bench.block();
  assert.deepEqual(tiers(), [
    [1, 0],
    [1, 1],
    [1, 0],
  ]);
  assert.deepEqual(
    [bench.longs('volume', word(0)), bench.longs('volume', word(1))],
    [
      [0n, 0n, 200_000n],
      [0n, 0n, 200_000n],
    ],
  );
  const history = (account: number, part: number): bigint | undefined =>
    bench.record('volume history', word(account) + word(part))?.getBigInt64(0, true);
  assert.deepEqual(
    [0, 1, 2, 3].map((part) => history(0, part)),
    [200_000n, undefined, undefined, undefined],
  );
  assert.equal(history(1, 2), 200_000n);
  assert.deepEqual(fees(), [60n, -10n]);

  // Day 20385 still counts day 20371, the day after does not.
  bench.timeMs += 14 * DAY;
  bench.block();
  assert.deepEqual([tiers()[0], history(0, 0)], [[1, 0], 0n]);
  bench.timeMs += DAY;
  bench.block();
  assert.deepEqual(tiers(), [
    [0, 0],
    [0, 0],
    [0, 0],
  ]);
});

// Leverage and isolated positions

test('leverage: changes the margin of a position, as far as the account bears it', () => {
  const tiers = [
    { lowerNotional: 0n, maxLeverage: 20 },
    { lowerNotional: 10_000n, maxLeverage: 10 },
  ];
  const bench = new Bench({ markets: [{ tiers }, { mode: 'noCross' }], collateral: { [A]: 1000n, [ORACLE]: 0n } });
  const update = (leverage: number, isolated = false, market = 0, sender = A): number | undefined =>
    bench.codes({ kind: 'updateLeverage', sender, market, leverage, isolated })[0];
  const state = (): (bigint | number | undefined)[] => {
    const { leverage, isolated, rawUsd } = bench.position(0);
    const { collateral, positionMargin, isolated: count } = bench.margin(0);
    return [leverage, isolated, rawUsd, collateral, positionMargin, count];
  };
  assert.deepEqual(
    [update(0), update(21), update(5, false, 2), update(5, false, 1), update(5, false, 0, ORACLE)],
    [CODE_INVALID_LEVERAGE, CODE_INVALID_LEVERAGE, CODE_UNKNOWN_MARKET, CODE_CROSS_NOT_ALLOWED, CODE_NO_DEPOSIT],
  );
  assert.equal(update(5, true, 1), CODE_OK);
  assert.deepEqual([bench.position(0, 1).leverage, bench.position(0, 1).isolated, bench.position(0, 1).size], [5, 1, 0n]);

  // Cross: 10 lots at 100, a notional of 2000; the account is worth 1000.
  bench.trade(A, B, 10, 100);
  assert.deepEqual(state(), [0, 0, 0n, -1000n, 200n, 0]);
  assert.equal(update(20), CODE_OK);
  assert.deepEqual(state(), [20, 0, 0n, -1000n, 100n, 0]);
  assert.equal(update(1), CODE_INSUFFICIENT_MARGIN, '2000');
  assert.equal(update(1, true), CODE_INSUFFICIENT_MARGIN);
  assert.deepEqual(state(), [20, 0, 0n, -1000n, 100n, 0]);
  assert.equal(update(2), CODE_OK, '1000');

  // To isolated at 5: a margin of 400, so rawUsd = 400 - 2000.
  assert.equal(update(5, true), CODE_OK);
  assert.deepEqual(state(), [5, 1, -1600n, 600n, 0n, 1]);
  assert.equal(update(4, true), CODE_OK, '500 are needed, 400 are there');
  assert.deepEqual(state(), [4, 1, -1500n, 500n, 0n, 1]);
  assert.equal(update(10, true), CODE_OK, 'nothing comes back');
  assert.deepEqual(state(), [10, 1, -1500n, 500n, 0n, 1]);
  assert.equal(update(1, true), CODE_INSUFFICIENT_WITHDRAWABLE, '1500 are missing');
  assert.deepEqual(state(), [10, 1, -1500n, 500n, 0n, 1]);
  assert.equal(update(10), CODE_OK);
  assert.deepEqual(state(), [10, 0, 0n, -1000n, 200n, 0]);

  // B is short 70 lots: 14000, of the second tier.
  bench.trade(C, B, 60, 100);
  assert.deepEqual([update(11, false, 0, B), update(10, false, 0, B)], [CODE_INVALID_LEVERAGE, CODE_OK]);
});

test('isolated margin: in, out, and to a leverage', () => {
  const bench = new Bench({ markets: [{ mode: 'noCross' }, { mode: 'strictIsolated' }], collateral: { [A]: 1000n } });
  const before = moneyOf(bench.ledger);
  bench.trade(A, B, 10, 100);
  const change = (more: { amount?: bigint; leverage?: number; market?: number; sender?: Address }): number | undefined =>
    bench.codes({ kind: 'isolatedMargin', sender: A, market: 0, ...more })[0];
  const state = (market = 0): bigint[] => [bench.margin(0).collateral, bench.position(0, market).rawUsd as bigint];
  assert.deepEqual([state(), bench.margin(0).value, bench.margin(0).isolated], [[800n, -1800n], 0n, 1]);
  assert.equal(change({ amount: 100n }), CODE_OK);
  assert.deepEqual(state(), [700n, -1700n]);
  assert.equal(change({ amount: -100n }), CODE_OK);
  assert.deepEqual(
    [
      change({ amount: -1n }),
      change({}),
      change({ amount: 801n }),
      change({ leverage: 11 }),
      change({ market: 2, amount: 1n }),
      change({ sender: C, amount: 1n }),
      change({ leverage: 10 }),
    ],
    [
      CODE_MARGIN_NOT_REMOVABLE,
      CODE_ZERO_AMOUNT,
      CODE_INSUFFICIENT_WITHDRAWABLE,
      CODE_INVALID_LEVERAGE,
      CODE_UNKNOWN_MARKET,
      CODE_NO_ISOLATED_POSITION,
      CODE_OK,
    ],
  );
  assert.deepEqual(state(), [800n, -1800n]);
  assert.equal(change({ leverage: 5 }), CODE_OK, '400 - 200');
  assert.deepEqual(state(), [600n, -1600n]);
  assert.equal(change({ leverage: 10 }), CODE_OK, 'there is more already');
  assert.deepEqual(state(), [600n, -1600n]);

  // Half is closed at the mark: half of the equity of 400 is released, rawUsd = -1600 + 1000 - 200.
  bench.item(C, buy(13, 100));
  bench.item(A, sell(5, 100));
  assert.deepEqual(state(), [800n, -800n]);
  // Flipped to 3 short: 200 come back, 60 go in, rawUsd = 60 + 600.
  bench.item(A, sell(8, 100));
  assert.deepEqual([state(), bench.position(0).size], [[940n, 660n], -3n]);

  bench.trade(A, B, 1, 100, 1);
  assert.deepEqual([change({ market: 1, amount: 10n }), change({ market: 1, amount: -10n })], [CODE_OK, CODE_MARGIN_NOT_REMOVABLE]);
  assert.deepEqual(state(1), [910n, -170n]);
  assert.equal(moneyOf(bench.ledger), before);
});

// Vaults

const VAULTS = { vaultMinimum: 100n, vaultLockMs: 1000, vaultsMax: 1 };

test('vaults: shares, profit and its commission, locks and the least share of the leader', () => {
  const bench = new Bench({ exchange: VAULTS });
  const before = moneyOf(bench.ledger);
  const create = (amount: bigint, sender = A): Transaction => ({ kind: 'createVault', sender, amount });
  assert.deepEqual(bench.codes(create(99n), create(1_000_001n)), [CODE_VAULT_MINIMUM, CODE_INSUFFICIENT_WITHDRAWABLE]);
  const vault = madeAddress('createVault', A, 2);
  assert.deepEqual(bench.done(create(1000n)), [
    { type: 'created', role: 3, account: 4, owner: 0 },
    { type: 'money', kind: 21, from: 0, to: 4, amount: 1000n, fee: 0n, shares: 1000n },
  ]);
  assert.equal(bench.ledger.accounts.numberOf(vault), 4);
  assert.deepEqual([bench.account(4).role, bench.account(4).owner], [3, 0]);
  assert.deepEqual(bench.codes(create(100n)), [CODE_VAULT_LIMIT]);

  const transfer = (sender: Address, amount: bigint, deposit: boolean): Transaction => ({
    kind: 'vaultTransfer',
    sender,
    vault,
    deposit,
    amount,
  });
  assert.deepEqual(bench.done(transfer(B, 3000n, true)), [
    { type: 'money', kind: 22, from: 1, to: 4, amount: 3000n, fee: 0n, shares: 3000n },
  ]);
  const follower = (user: number): (bigint | undefined)[] => {
    const view = bench.record('follower', word(4) + word(user));
    return [view?.getBigInt64(0, true), view?.getBigInt64(8, true), view?.getBigUint64(16, true)];
  };
  assert.deepEqual(
    [follower(0), follower(1)],
    [
      [1000n, 1000n, BigInt(TIME + 1000)],
      [3000n, 3000n, BigInt(TIME + 1000)],
    ],
  );
  const record = bench.record('vault', word(4));
  assert.deepEqual(
    [0, 4, 32, 36, 40, 44].map((offset) => record?.getUint32(offset, true)),
    [4, 0, 100_000, 1, 2, 0],
    'account, leader, commission, flags, followers, index',
  );
  assert.deepEqual(
    [8, 16, 24].map((offset) => record?.getBigInt64(offset, true)),
    [4000n, 1000n, 1000n],
    'shares, of the leader, lock',
  );

  // The vault buys 10 at 100; at 120 it is worth 4000 + 400, a share 1.1.
  bench.item(C, sell(10, 100));
  assert.deepEqual(bench.codes({ ...signed(orders(A, buy(10, 100))), behalf: vault }), [CODE_OK]);
  bench.mark(120);
  assert.deepEqual(bench.codes(transfer(B, 1100n, false), transfer(B, 1n, true)), [CODE_VAULT_LOCKED, CODE_VAULT_SHARES]);
  bench.timeMs += 1000;
  // 1100 / 1.1 = 1000 shares, paid in for 1000: a profit of 100, of which 10 are A's.
  assert.deepEqual(bench.done(transfer(B, 1100n, false)), [
    { type: 'money', kind: 22, from: 4, to: 1, amount: 1100n, fee: 10n, shares: 1000n },
  ]);
  assert.deepEqual(
    [0, 1, 4].map((account) => bench.margin(account).collateral),
    [1_000_000n - 1000n + 10n, 1_000_000n - 3000n + 1090n, 4000n - 2000n - 1100n],
  );
  assert.deepEqual(follower(1), [2000n, 2000n, BigInt(TIME + 1000)]);

  // 3000 shares, worth 3300. 2201 would be 2001 shares. The leader has 1000: after 900 he would have 100 of 2100, after 890 110 of 2110.
  assert.deepEqual(bench.codes(transfer(B, 2201n, false), transfer(A, 990n, false)), [CODE_VAULT_SHARES, CODE_VAULT_LEADER_SHARE]);
  assert.deepEqual(bench.done(transfer(A, 979n, false)), [
    { type: 'money', kind: 22, from: 4, to: 0, amount: 979n, fee: 0n, shares: 890n },
  ]);
  assert.deepEqual(
    [8, 16].map((offset) => bench.record('vault', word(4))?.getBigInt64(offset, true)),
    [2110n, 110n],
  );

  // 2110 shares, worth 2321, of which 240 are margin: B's 2200 are not there before 10 * 2000 / 2110, so 10 lots, are sold.
  bench.done({ ...orders(A, buy(1, 50)), behalf: vault });
  const stuck = bench.done(transfer(B, 2200n, false));
  assert.deepEqual(cancels(stuck), [[REASON_WITHDRAWAL, 1n, 4]]);
  assert.deepEqual(stuck.slice(1), [{ type: 'money', kind: 22, from: 4, to: 1, amount: 0n, fee: 0n, shares: 0n }]);
  bench.item(C, buy(4, 107));
  bench.item(C, buy(20, 120));
  const paid = bench.done(transfer(B, 2200n, false));
  assert.deepEqual(types(paid), ['fill', 'money']);
  const [fill] = fills(paid);
  assert.deepEqual([fill?.lots, fill?.price, fill?.cause, fill?.takerSells], [10n, 120, CAUSE_VAULT, true]);
  assert.deepEqual(paid[1], { type: 'money', kind: 22, from: 4, to: 1, amount: 2200n, fee: 20n, shares: 2000n });
  assert.equal(bench.record('follower', word(4) + word(1)), undefined);
  assert.deepEqual([bench.record('vault', word(4))?.getUint32(40, true), bench.margin(4).collateral], [1, 121n]);
  // All that is left: the leader may take it.
  assert.deepEqual(bench.codes(transfer(A, 121n, false)), [CODE_OK]);
  assert.deepEqual(bench.codes(transfer(A, 100n, true)), [CODE_VAULT_CLOSED], 'nothing in it to measure shares by');
  assert.equal(moneyOf(bench.ledger), before);
});

test('vaults: who may pay in, and how much beside the leader', () => {
  const bench = new Bench({ exchange: VAULTS, collateral: { [ORACLE]: 0n } });
  bench.done({ kind: 'createVault', sender: A, amount: 1000n });
  const vault = madeAddress('createVault', A, 1);
  const deposit = (sender: Address, amount: bigint, to = vault): Transaction => ({
    kind: 'vaultTransfer',
    sender,
    vault: to,
    deposit: true,
    amount,
  });
  const modify = (sender: Address, allowDeposits: boolean, of = vault): Transaction => ({
    kind: 'vaultModify',
    sender,
    vault: of,
    allowDeposits,
  });
  // A twentieth of all shares has to be the leader's: 1000 of 20000.
  assert.deepEqual(bench.codes(deposit(B, 1n, B), deposit(B, 19_001n), deposit(B, 19_000n), deposit(ORACLE, 1n), deposit(B, 0n)), [
    CODE_VAULT_UNKNOWN,
    CODE_VAULT_LEADER_SHARE,
    CODE_OK,
    CODE_NO_DEPOSIT,
    CODE_ZERO_AMOUNT,
  ]);
  assert.deepEqual(bench.codes(modify(A, false, A), modify(B, false), modify(A, false), deposit(A, 1n), modify(A, true), deposit(A, 1n)), [
    CODE_VAULT_UNKNOWN,
    CODE_NOT_OWNER,
    CODE_OK,
    CODE_VAULT_CLOSED,
    CODE_OK,
    CODE_OK,
  ]);
  // What a vault is paid is its value: shares are no more than a claim on it.
  const stolen: Transaction = { kind: 'subTransfer', sender: A, subAccount: vault, deposit: false, amount: 1n };
  assert.deepEqual(bench.codes(stolen, signed(orders(vault, buy(1, 50)))), [CODE_NOT_OWNER, CODE_AGENT_UNKNOWN]);
});

test('vaults: the index of a vault is in its account record', () => {
  const bench = new Bench({ exchange: { vaultMinimum: 1n, vaultsMax: 2 }, backstop: B });
  bench.done({ kind: 'createVault', sender: A, amount: 1n });
  assert.deepEqual(bench.codes({ kind: 'createVault', sender: A, amount: 1n }), [CODE_VAULT_LIMIT], 'the backstop vault counts');
  const indexOf = (account: number): (number | undefined)[] => [
    bench.record('account', word(account))?.getUint16(44, true),
    bench.record('vault', word(account))?.getUint32(44, true),
  ];
  assert.deepEqual(
    [indexOf(1), indexOf(4)],
    [
      [0, 0],
      [1, 1],
    ],
  );
});

test('nonces are the sender’s: an agent’s and its master’s do not meet', () => {
  const bench = new Bench();
  bench.done({ kind: 'approveAgent', sender: A, agent: X });
  const nonce = BigInt(TIME);
  assert.deepEqual(
    bench.codes({ ...orders(A, buy(1, 50)), nonce }, { ...orders(X, buy(1, 50)), nonce }, { ...orders(X, buy(1, 50)), nonce }),
    [CODE_OK, CODE_OK, CODE_NONCE_DUPLICATE],
  );
});
