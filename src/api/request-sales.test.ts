/** Whenever the process ends, what was paid for is there once after the next start, and nothing else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { CODE_NONCE_DUPLICATE, CODE_OK } from '../base/codes.ts';
import { HeddleError } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import type { Transaction } from '../ledger/transactions.ts';
import type { Confirmation, Ticket } from '../node/index.ts';
import { SimulatedDisk } from '../storage/index.ts';
import { transactionHash } from '../views/index.ts';
import { readBought } from './bought-file.ts';
import { AddressBudgets, limitDefaults } from './rate-limits.ts';
import { RequestSales } from './request-sales.ts';

const LIMITS = { ...limitDefaults, enforced: true };
const CODE_OTHER = 77;
const TURNS_MAX = 10_000;
const address = (index: number): string => `0x${(index + 1).toString(16).padStart(40, '0')}`;
const noError = (error: unknown): never => assert.fail(String(error));
const hashOf = (transaction: Transaction): string => `0x${Buffer.from(transactionHash(transaction)).toString('hex')}`;

interface Payment {
  readonly nonce: number;
  /** Who gets what is bought. */
  readonly user: number;
  /** In turns of the event loop. */
  readonly startsAfter: number;
  readonly fate: 'paid' | 'refused' | 'not taken';
}

/** Of one sender; the same nonce is the same transaction. */
const transactionOf = ({ nonce }: Payment): Transaction => ({
  kind: 'sendPerp',
  sender: address(90),
  nonce: BigInt(nonce),
  recipient: address(91),
  amount: BigInt(500 * requestsOf(nonce)),
});
const requestsOf = (nonce: number): number => 10 ** nonce;

interface Entry {
  readonly height: number;
  readonly hash: string;
  readonly code: number;
  readonly payment: Payment;
}

/** Makes blocks of what waits, and confirms each a turn after it is in the journal. */
class Ledger {
  readonly journal: Entry[] = [];
  height = 0;
  onJournalled = (): void => {};
  private waiting: { readonly payment: Payment; readonly confirmed: PromiseWithResolvers<Confirmation> }[] = [];

  constructor(before: readonly Entry[] = []) {
    this.journal.push(...before);
    this.height = before.at(-1)?.height ?? 0;
  }

  submit(payment: Payment): Ticket {
    if (payment.fate === 'not taken') throw new HeddleError('BUSY', 'too many wait');
    const confirmed = Promise.withResolvers<Confirmation>();
    this.waiting.push({ payment, confirmed });
    return { confirmed: confirmed.promise, settled: new Promise(() => {}) };
  }

  async turn(): Promise<void> {
    const block = this.waiting;
    this.waiting = [];
    await setImmediate();
    if (block.length === 0) return;
    const height = this.height + 1;
    const codes = block.map(({ payment }) => {
      const hash = hashOf(transactionOf(payment));
      const isUsed = this.resultsOf(hash, 0).includes(CODE_OK);
      const code = payment.fate === 'refused' ? CODE_OTHER : isUsed ? CODE_NONCE_DUPLICATE : CODE_OK;
      this.journal.push({ height, hash, code, payment });
      return code;
    });
    this.onJournalled();
    await setImmediate();
    this.height = height;
    block.forEach(({ confirmed }, index) => {
      confirmed.resolve({ block: height, index, code: codes[index] as number, events: new Uint8Array(0) });
    });
  }

  resultsOf(hash: string, after: number): number[] {
    return this.journal.filter((entry) => entry.hash === hash && entry.height > after).map(({ code }) => code);
  }

  /** What each user has paid for. */
  get paid(): Map<string, number> {
    const paid = new Map<string, number>();
    for (const { code, payment } of this.journal) {
      const user = address(payment.user);
      if (code === CODE_OK) paid.set(user, (paid.get(user) ?? 0) + requestsOf(payment.nonce));
    }
    return paid;
  }
}

interface Node {
  readonly ledger: Ledger;
  readonly sales: RequestSales;
  readonly reserved: () => Map<string, number>;
}

async function started(disk: SimulatedDisk, before: readonly Entry[]): Promise<Node> {
  const ledger = new Ledger(before);
  const { bought, paying } = await readBought(disk);
  const budgets = new AddressBudgets(LIMITS, () => 0, bought);
  const sales = new RequestSales({ disk, budgets, limitsEnforced: true, paying, height: () => ledger.height, onError: noError });
  await sales.resume((hash, after) => ledger.resultsOf(hash, after));
  return { ledger, sales, reserved: () => new Map([...budgets.bought()].map(([user, { reserved }]) => [user, reserved])) };
}

/** A moment at which the process could have ended: so many steps of its disk, so many entries of the journal. */
type Moment = readonly [diskSteps: number, entries: number];

/** All payments, each when its turn comes. */
async function run({ ledger, sales }: Node, disk: SimulatedDisk, payments: readonly Payment[]): Promise<Moment[]> {
  const moments: Moment[] = [];
  const note = (entries: number): void => {
    for (let steps = moments.at(-1)?.[0] ?? 0; steps <= disk.trace.length; steps++) moments.push([steps, entries]);
  };
  let entries = ledger.journal.length;
  ledger.onJournalled = () => {
    note(entries);
    entries = ledger.journal.length;
  };
  let open = payments.length;
  const sold = payments.map(async (payment) => {
    for (let i = 0; i < payment.startsAfter; i++) await setImmediate();
    try {
      await sales.sell(address(payment.user), requestsOf(payment.nonce), transactionOf(payment), () => ledger.submit(payment));
    } catch (error) {
      assert.equal((error as HeddleError).code, 'BUSY');
    } finally {
      open--;
    }
  });
  for (let turns = 0; open > 0; turns++) {
    assert.ok(turns < TURNS_MAX, 'every purchase comes to an end');
    await ledger.turn();
  }
  await Promise.all(sold);
  await sales.save();
  note(entries);
  return moments;
}

const payments = fc.array(
  fc.record({
    nonce: fc.nat(3),
    user: fc.nat(2),
    startsAfter: fc.nat(40),
    fate: fc.constantFrom('paid' as const, 'paid' as const, 'paid' as const, 'refused' as const, 'not taken' as const),
  }),
  { minLength: 1, maxLength: 6 },
);

/** The disk after the first steps of what was done to it since it was as `begun`. */
function diskAfter(begun: SimulatedDisk, { trace }: SimulatedDisk, steps: number): SimulatedDisk {
  const disk = begun.restart();
  for (const step of trace.slice(0, steps)) disk.redo(step);
  return disk;
}

test('a start behind any end gives what was paid for, once, and goes on selling', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(payments, { minLength: 2, maxLength: 2 }), fc.nat(), async (lives, seed) => {
      const random = new Random(seed);
      let begun = new SimulatedDisk();
      let before: readonly Entry[] = [];
      for (const payments of lives) {
        const disk = begun.restart();
        const node = await started(disk, before);
        const moments = await run(node, disk, payments);
        assert.deepEqual(node.reserved(), node.ledger.paid);
        for (const [steps, entries] of moments) {
          const until = diskAfter(begun, disk, steps);
          for (const left of [until.restart(), until.crash(random)]) {
            const again = await started(left, node.ledger.journal.slice(0, entries));
            assert.deepEqual(again.reserved(), again.ledger.paid, `after ${steps} steps of the disk and ${entries} payments`);
            const oncemore = await started(left, again.ledger.journal);
            assert.deepEqual(oncemore.reserved(), again.ledger.paid, 'the start after that');
          }
        }
        // One of the ends is real, and the same payments may come again behind it.
        const [steps, entries] = moments[random.below(moments.length)] as Moment;
        begun = diskAfter(begun, disk, steps).crash(random);
        before = node.ledger.journal.slice(0, entries);
      }
    }),
    { numRuns: 40 },
  );
});

const PAYMENT: Payment = { nonce: 1, user: 0, startsAfter: 0, fate: 'paid' };

const PAID: Ticket = {
  confirmed: Promise.resolve({ block: 1, index: 0, code: CODE_OK, events: new Uint8Array(0) }),
  settled: new Promise(() => {}),
};

test('a purchase that cannot be written down or submitted is not paid for, and can be made again', async () => {
  const disk = new SimulatedDisk();
  const told: unknown[] = [];
  const budgets = new AddressBudgets(LIMITS, () => 0);
  const onError = (error: unknown): number => told.push(error);
  const sales = new RequestSales({ disk, budgets, limitsEnforced: true, paying: [], height: () => 0, onError });
  const sell = (submit: () => Ticket): Promise<Confirmation> => sales.sell(address(0), 10, transactionOf(PAYMENT), submit);
  disk.fail('sync', 'EIO');
  await assert.rejects(
    sell(() => assert.fail('nothing is submitted')),
    { code: 'NOT_SAVED' },
  );
  assert.equal(told.length, 1);
  await assert.rejects(
    sell(() => {
      throw new HeddleError('CLOSED', 'nothing more is taken');
    }),
    { code: 'CLOSED' },
  );
  assert.equal(budgets.bought().size, 0);
  await sell(() => PAID);
  assert.equal(budgets.budgetOf(address(0), 0n).reserved, 10);
});

test('while a payment is under way the same one is refused, and afterwards it is what the ledger says', async () => {
  const { ledger, sales, reserved } = await started(new SimulatedDisk(), []);
  const sell = (user: number): Promise<Confirmation> =>
    sales.sell(address(user), requestsOf(1), transactionOf(PAYMENT), () => ledger.submit({ ...PAYMENT, user }));
  const first = sell(0);
  await assert.rejects(sell(1), { code: 'BUSY' });
  let code: number | undefined;
  first.then((confirmed) => {
    code = confirmed.code;
  });
  for (let turns = 0; code === undefined; turns++) {
    assert.ok(turns < TURNS_MAX, 'it is confirmed');
    await ledger.turn();
  }
  assert.equal(code, CODE_OK);
  assert.deepEqual(reserved(), new Map([[address(0), 10]]));
  const second = sell(1);
  for (let turns = 0; ledger.journal.length < 2; turns++) {
    assert.ok(turns < TURNS_MAX, 'it is in the journal');
    await ledger.turn();
  }
  assert.equal((await second).code, CODE_NONCE_DUPLICATE);
  assert.deepEqual(reserved(), new Map([[address(0), 10]]));
});

test('where nothing is limited requests are given, and nothing is written', async () => {
  const disk = new SimulatedDisk();
  const budgets = new AddressBudgets(limitDefaults, () => 0);
  const sales = new RequestSales({ disk, budgets, limitsEnforced: false, paying: [], height: () => 0, onError: noError });
  await sales.sell(address(0), 7, transactionOf(PAYMENT), () => PAID);
  await sales.save();
  assert.equal(budgets.budgetOf(address(0), 0n).reserved, 7);
  assert.deepEqual(disk.trace, []);
});
