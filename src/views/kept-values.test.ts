/** The bytes of what accounts were worth: everything comes back, and no byte of them can be another. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AccountValues } from './account-values.ts';
import { decodeValues, encodeValues, type KeptValues, type ValuesToKeep } from './kept-values.ts';

const CHAIN = new Uint8Array(32).fill(7);

/** As the decoder makes them. */
const plain = { noNullPrototype: true };
const amount = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const time = fc.nat(Number.MAX_SAFE_INTEGER);
const points = fc.array(fc.record({ timeMs: time, value: amount, pnl: amount }, plain), { maxLength: 5 });
const address = fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => `0x${Buffer.from(bytes).toString('hex')}`);
const series = fc.uniqueArray(fc.record({ user: address, deposited: amount, points }, plain), {
  maxLength: 5,
  selector: ({ user }) => user,
});
const kept = fc.record({ height: time, series }, plain);

/** Accounts are numbered in the order of the series. */
function noted({ series }: KeptValues): AccountValues {
  const values = new AccountValues();
  series.forEach((one, account) => {
    values.restore(account, one, 0);
  });
  return values;
}

function toKeep(values: AccountValues, { height, series }: KeptValues): ValuesToKeep {
  return { height, ...values.noted(), addressOf: (account) => series[account]?.user ?? '' };
}

/** `between`: what else is done after each step. */
function encoded(values: ValuesToKeep, between = (): void => {}): { readonly bytes: Uint8Array; readonly steps: number } {
  const encoding = encodeValues(values, CHAIN);
  let steps = 1;
  let step = encoding.next();
  for (; !step.done; step = encoding.next()) {
    between();
    steps++;
  }
  return { bytes: step.value, steps };
}

test('what was encoded comes back', () => {
  fc.assert(
    fc.property(kept, (values) => {
      assert.deepEqual(decodeValues(encoded(toKeep(noted(values), values)).bytes, CHAIN), values);
    }),
  );
});

test('what is encoded is of one moment, whatever comes between its steps', () => {
  const accounts = Array.from({ length: 4_000 }, (_, account) => account);
  const point = (account: number, i: number): { timeMs: number; value: bigint; pnl: bigint } => {
    const value = BigInt(account * 31 + i);
    return { timeMs: i * 60_000, value, pnl: value - 5n };
  };
  const values: KeptValues = {
    height: 9,
    series: accounts.map((account) => ({
      user: `0x${account.toString(16).padStart(40, '0')}`,
      deposited: 5n,
      points: Array.from({ length: 1 + (account % 13) }, (_, i) => point(account, i)),
    })),
  };
  const live = noted(values);
  const before = decodeValues(encoded(toKeep(live, values)).bytes, CHAIN);
  let turn = 0;
  const { bytes, steps } = encoded(toKeep(live, values), () => {
    turn++;
    for (const account of accounts) {
      live.note(account, 1e9 + turn * 60_000, BigInt(turn));
      live.open(10_000 + turn * 5_000 + account, 1n);
    }
  });
  assert.ok(steps > 5, `${steps} steps`);
  assert.deepEqual(decodeValues(bytes, CHAIN), before);
  assert.deepEqual(before, values);
});

test('damaged bytes, fewer and more, and those of another chain are refused', () => {
  const user = `0x${'a'.repeat(40)}`;
  const values = { height: 3, series: [{ user, deposited: 1n, points: [{ timeMs: 1, value: 2n, pnl: 3n }] }] };
  const { bytes } = encoded(toKeep(noted(values), values));
  const refused = (wrong: Uint8Array, chain = CHAIN): void => {
    assert.throws(() => decodeValues(wrong, chain), { code: 'VALUES_REFUSED' });
  };
  for (let at = 0; at < bytes.length; at++) {
    for (let bit = 0; bit < 8; bit++) refused(new Uint8Array(bytes).with(at, (bytes[at] as number) ^ (1 << bit)));
    refused(bytes.subarray(0, at));
  }
  refused(Buffer.concat([bytes, Buffer.of(0)]));
  refused(bytes, new Uint8Array(32).fill(8));
});
