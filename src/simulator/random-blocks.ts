/**
 * Random blocks for comparing executors: the same seed gives the same genesis and the same blocks.
 *
 * Each seed has a focus (a tight book, thin margins, agents, vaults, what is due by time, ...), and few accounts collide in few markets, so
 * that rules meet their edges. The writer runs the naive twin beside it, so cancels hit orders that are open and transfers empty balances
 * exactly. Time goes on in small steps, with gaps of up to days. What comes out is counted by `coverage.ts`; its test holds that no
 * outcome is missing.
 * Not here: executing anything but the naive twin, and shrinking.
 */
import { Random } from '../base/random.ts';
import type { Genesis } from '../exchange/genesis.ts';
import type { NaiveLedger } from '../exchange/naive.ts';
import { type Block, inClassOrder, type Transaction } from '../ledger/transactions.ts';
import {
  delistings,
  randomAgent,
  randomBuilderApproval,
  randomDelist,
  randomDisplayName,
  randomIsolatedMargin,
  randomLeverage,
  randomMoney,
  randomMultiSig,
  randomPlain,
  randomReferrer,
  randomSchedule,
  randomSend,
  randomSubAccount,
  randomSubAccountModify,
  randomSubTransfer,
  randomTransfer,
  randomVault,
  randomVaultModify,
  randomVaultTransfer,
} from './random-accounts.ts';
import { flood } from './random-crowds.ts';
import { type Focus, focusOf } from './random-genesis.ts';
import { randomNonsense } from './random-nonsense.ts';
import { randomOrders } from './random-orders.ts';
import { aimPrice, oddReport, randomReports } from './random-prices.ts';
import { manyTwaps, randomTwap, randomTwapCancel } from './random-twaps.ts';
import { RandomWorld } from './random-world.ts';

export { randomGenesis } from './random-genesis.ts';

export interface RandomBlocksOptions {
  /** Number of blocks; default 10 to 30. */
  readonly blocks?: number;
  /** At most so many transactions a block, reports not counted; default 24. */
  readonly transactions?: number;
  /** Default: `focusOf(seed)`. The genesis of another focus works too. */
  readonly focus?: Focus;
}

/** A block and what the twin made of it. */
export interface Step {
  readonly block: Block;
  readonly receipts: ReturnType<NaiveLedger['executeBlock']>;
  readonly ledger: NaiveLedger;
}

/** Blocks that follow one another from the genesis. Each is made after the one before was executed by the writer's own twin. */
export function* randomBlocks(seed: number, genesis: Genesis, options: RandomBlocksOptions = {}): Generator<Block, void, undefined> {
  for (const { block } of randomHistory(seed, genesis, options)) yield block;
}

/** The same blocks with the receipts of the writer's twin. */
export function* randomHistory(seed: number, genesis: Genesis, options: RandomBlocksOptions = {}): Generator<Step, void, undefined> {
  const random = new Random(seed * 2 + 1);
  const world = new RandomWorld(random, genesis, options.focus ?? focusOf(seed));
  const blocks = options.blocks ?? random.between(10, 30);
  for (let i = 0; i < blocks; i++) {
    const block = randomBlock(world, options.transactions ?? 24);
    const receipts = world.ledger.executeBlock(block);
    world.refresh();
    yield { block, receipts, ledger: world.ledger };
  }
}

function randomBlock(world: RandomWorld, transactionsMax: number): Block {
  const { random, focus } = world;
  const hurried = world.sinceDoom >= -1 && world.sinceDoom < 3;
  const elapsedMs = hurried ? random.between(100, 3000) : randomElapsed(world);
  world.begin(world.timeMs + elapsedMs);
  const roughness = focus === 'margin' || focus === 'vaults' ? 0.5 : focus === 'nonces' || focus === 'ledger' ? 0.02 : 0.2;
  if (world.doomed !== undefined && world.sinceDoom === 0) world.prices.shock(world.doomed.market, random.pick([0.7, 0.85, 1.15, 1.3]));
  const rough = world.number > 4 && random.chance(roughness);
  world.prices.advance(elapsedMs, rough && random.chance(0.4));
  if (rough) aimPrice(world);
  const most = Math.min(transactionsMax, { none: 0, few: 4, usual: transactionsMax }[random.weighted({ none: 2, few: 8, usual: 90 })]);
  const crowds = focus === 'crowded' ? Math.min(most, 12) : most;
  const count = focus === 'nonces' ? most : random.between(Math.floor(crowds / 3), crowds);
  const reports: Transaction[] = random.chance(0.9) ? randomReports(world, elapsedMs) : [];
  if (world.doomed !== undefined && world.sinceDoom === 3) reports.push(...delistings(world, world.doomed.market));
  const transactions = random.chance(0.65) ? ordered(world, reports, count) : unordered(world, reports, count);
  return { number: world.number, timeMs: world.timeMs, transactions };
}

/** As a block's maker orders them; what does not decode stands anywhere. */
function ordered(world: RandomWorld, reports: readonly Transaction[], count: number): Transaction[] {
  const { random } = world;
  const made = Array.from({ length: count }, () => randomTransactions(world, false)).flat();
  const transactions = inClassOrder([...reports, ...made]);
  while (random.chance(0.25)) transactions.splice(random.below(transactions.length + 1), 0, randomNonsense(world));
  return transactions;
}

/** In any order: later transactions refer to what earlier ones probably did. */
function unordered(world: RandomWorld, reports: readonly Transaction[], count: number): Transaction[] {
  const { random } = world;
  const transactions: Transaction[] = [];
  const push = (transaction: Transaction): void => {
    const { kind, sender } = transaction;
    if (kind === 'createSubAccount' || kind === 'createVault') {
      const address = world.createdAddress(kind, sender, transactions.length);
      world.announce(kind, { address, owner: transaction.multiSig?.user ?? sender });
    }
    transactions.push(transaction);
  };
  const reportAt = reports.map(() => (random.chance(0.6) ? 0 : random.below(count + 1)));
  for (let i = 0; i <= count; i++) {
    for (const [r, report] of reports.entries()) if (reportAt[r] === i) push(report);
    if (i < count) for (const transaction of randomTransactions(world, true)) push(transaction);
    if (random.chance(0.02)) push(randomNonsense(world));
  }
  return transactions;
}

// --- Time -------------------------------------------------------------------------------------------------------------------------

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

function randomElapsed(world: RandomWorld): number {
  const { random, focus } = world;
  // Where accounts become dormant, days have to pass.
  const often = (world.genesis.dormantDays ?? 0) > 0 ? 6 : 1;
  const gaps = (focus === 'timed' ? 2.5 : focus === 'nonces' ? 0.3 : 1) * often;
  const untilHour = HOUR_MS - (world.timeMs % HOUR_MS);
  const untilDay = DAY_MS - (world.timeMs % DAY_MS);
  return {
    none: 0,
    short: random.between(100, 3000),
    seconds: random.between(3000, 12_000),
    slice: 30_000,
    minutes: random.between(30_000, 200_000),
    hour: random.pick([untilHour, untilHour - 1, HOUR_MS, 2 * HOUR_MS + 5]),
    day: random.pick([untilDay, DAY_MS, DAY_MS + 77]),
    days: random.between(2, often > 1 ? 30 : 17) * DAY_MS + random.below(DAY_MS),
  }[
    random.weighted({
      none: 3,
      short: 64,
      seconds: 12,
      slice: (7 * gaps) / often,
      minutes: (4 * gaps) / often,
      hour: (2.5 * gaps) / often,
      day: 2 * gaps,
      days: gaps,
    })
  ];
}

// --- Kinds ------------------------------------------------------------------------------------------------------------------------

const KINDS = {
  orders: 60,
  twap: 2.5,
  manyTwaps: 0.1,
  flood: 0,
  twapCancel: 1,
  transfer: 3,
  money: 5,
  send: 2,
  leverage: 4,
  isolated: 3,
  schedule: 1.5,
  subAccount: 1.2,
  subTransfer: 1.2,
  agent: 2.2,
  multiSig: 0.5,
  builder: 1.5,
  referrer: 1.5,
  plain: 1.2,
  vault: 0.6,
  vaultTransfer: 1.5,
  vaultModify: 0.4,
  displayName: 0.8,
  subAccountModify: 0.8,
  delist: 0.15,
  oddReport: 1,
};

type Kind = keyof typeof KINDS;

const WEIGHTS: Readonly<Record<Focus, Readonly<Record<Kind, number>>>> = {
  mixed: KINDS,
  book: { ...KINDS, orders: 220 },
  crowded: { ...KINDS, orders: 200, schedule: 4, flood: 4, leverage: 1 },
  margin: { ...KINDS, orders: 90, leverage: 9, isolated: 6, money: 4 },
  ledger: { ...KINDS, orders: 12, transfer: 60, money: 20, send: 10 },
  nonces: { ...KINDS, orders: 25, transfer: 60, plain: 20, manyTwaps: 0 },
  people: {
    ...KINDS,
    agent: 9,
    multiSig: 3,
    subAccount: 6,
    subTransfer: 6,
    builder: 5,
    referrer: 6,
    plain: 5,
    displayName: 4,
    subAccountModify: 4,
  },
  vaults: { ...KINDS, orders: 70, vault: 5, vaultTransfer: 20, vaultModify: 1.5 },
  timed: { ...KINDS, orders: 50, twap: 9, manyTwaps: 1.5, twapCancel: 3, schedule: 12 },
};

/** One transaction, or several that belong together. `follows`: oids of the block can be foreseen. */
function randomTransactions(world: RandomWorld, follows: boolean): Transaction[] {
  const { random } = world;
  // Where accounts become dormant, some shall have a name by then.
  const named = (world.genesis.dormantDays ?? 0) > 0 ? { displayName: 3 } : {};
  const kinds = { ...WEIGHTS[world.focus], ...named };
  const kind = random.weighted(world.sinceDoom > 3 ? { ...kinds, delist: 4 } : kinds);
  if (kind === 'manyTwaps') return manyTwaps(world);
  if (kind === 'flood') return flood(world);
  if (kind !== 'orders') return [MAKERS[kind](world)];
  const { transaction, actor } = randomOrders(world);
  if (follows) world.note(transaction, actor);
  return [transaction];
}

const MAKERS: Readonly<Record<Exclude<Kind, 'orders' | 'manyTwaps' | 'flood'>, (world: RandomWorld) => Transaction>> = {
  twap: randomTwap,
  twapCancel: randomTwapCancel,
  transfer: randomTransfer,
  money: randomMoney,
  send: randomSend,
  leverage: randomLeverage,
  isolated: randomIsolatedMargin,
  schedule: randomSchedule,
  subAccount: randomSubAccount,
  subTransfer: randomSubTransfer,
  agent: randomAgent,
  multiSig: randomMultiSig,
  builder: randomBuilderApproval,
  referrer: randomReferrer,
  plain: randomPlain,
  vault: randomVault,
  vaultTransfer: randomVaultTransfer,
  vaultModify: randomVaultModify,
  displayName: randomDisplayName,
  subAccountModify: randomSubAccountModify,
  delist: randomDelist,
  oddReport,
};
