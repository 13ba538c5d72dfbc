/**
 * What the risk engine costs: orders of accounts with few and with many positions, and the block in which prices change.
 *
 * An order's check reads sums that the sweep keeps at the current marks, so it should cost the same whatever the number of positions; the
 * sweep pays for them, once for every change of prices.
 */
import { assert } from '../base/assert.ts';
import type { Genesis, MarketParameters } from '../exchange/genesis.ts';
import { BATCH_ITEMS_MAX, OID_SLOT_BITS, TIF_ALO, TIF_GTC, TIF_IOC } from '../exchange/layout.ts';
import type { PreparedBlock } from '../execution/api.ts';
import { Engine } from '../execution/index.ts';
import { PreparedBlockWriter } from '../execution/prepared-block.ts';
import type { BenchmarkRow } from '../report/index.ts';
import type { Benchmark } from './benchmark.ts';
import { compare } from './comparison.ts';
import { type BenchSettings, chooseVariants, type VariantName } from './settings.ts';

const MODELS: readonly VariantName[] = ['serial', 'optimistic'];
const POSITIONS = [1, 10, 100];
const MARKETS = 128;
const ACCOUNTS = 4096;
const MARK_TICKS = 10_000;
/** Where orders rest and move: far from the mark, so that nothing trades. */
const ORDER_TICKS = 8_000;
const LEVELS = 512;
const START_MS = 1_760_000_000_000;
const ORACLE = ACCOUNTS;

const address = (number: number): string => `0x${(number + 1).toString(16).padStart(40, '0')}`;

function market(index: number): MarketParameters {
  return {
    name: `M${index}`,
    tickCount: 32_768,
    unit: 100,
    tickStep: 1,
    lotStep: 1,
    ticksPerInteger: 100,
    significantDigits: 0,
    leverage: 10,
    takerFeePpm: 450,
    makerFeePpm: 150,
    minNotional: 0n,
    maxOrderLots: 1_000_000n,
    maxPositionLots: 10_000_000n,
    markTicks: MARK_TICKS,
  };
}

const genesis: Genesis = {
  maxAccounts: ACCOUNTS + 1,
  orderPages: 1,
  tokens: [{ name: 'USDC', decimals: 6 }],
  markets: Array.from({ length: MARKETS }, (_, i) => market(i)),
  oracle: address(ORACLE),
  exchange: { markIntervalMs: 1_000_000_000 },
  accounts: Array.from({ length: ACCOUNTS + 1 }, (_, i) => ({ address: address(i), collateral: i === ORACLE ? 0n : 1_000_000_000_000n })),
};

/** Writes blocks one after the other and knows the oids that their items get. */
class Blocks {
  readonly #writer = new PreparedBlockWriter();
  #number = 1;
  #itemsBefore = 0;

  write(fill: (writer: PreparedBlockWriter, oid: () => number) => void): PreparedBlock {
    const writer = this.#writer;
    fill(writer, () => (this.#itemsBefore + writer.items + 1) * 2 ** OID_SLOT_BITS);
    const block = writer.finish(this.#number, START_MS + this.#number * 100);
    this.#number++;
    this.#itemsBefore += writer.items;
    writer.reset();
    return block;
  }
}

/** Accounts 2k and 2k + 1 take opposite sides of `positions` markets; then every account has one order. */
function* setup(blocks: Blocks, positions: number, oids: number[]): Generator<PreparedBlock> {
  for (let first = 0; first < ACCOUNTS; first += 512) {
    yield blocks.write((writer) => {
      for (let account = first; account < first + 512; account += 2) {
        for (let from = 0; from < positions; from += BATCH_ITEMS_MAX) {
          for (const sell of [true, false]) {
            writer.beginOrders(account + (sell ? 0 : 1));
            for (let i = from; i < Math.min(positions, from + BATCH_ITEMS_MAX); i++) {
              const at = (account / 2 + i) % MARKETS;
              writer.placeItem({ market: at, sell, tif: sell ? TIF_GTC : TIF_IOC, priceTicks: MARK_TICKS, sizeLots: 10 });
            }
            writer.endOrders();
          }
        }
      }
    });
  }
  yield blocks.write((writer, oid) => {
    for (let account = 0; account < ACCOUNTS; account++) {
      oids[account] = oid();
      writer.place(account, orderOf(account, 0));
    }
  });
}

function orderOf(account: number, round: number) {
  const priceTicks = ORDER_TICKS + ((account * 7 + round) % LEVELS);
  return { market: account % MARKETS, sell: false, tif: TIF_ALO, priceTicks, sizeLots: 10 };
}

/** Every account moves its order, `rounds` times. */
function* moves(blocks: Blocks, rounds: number, oids: number[]): Generator<PreparedBlock> {
  for (let round = 1; round <= rounds; round++) {
    yield blocks.write((writer, oid) => {
      for (let account = 0; account < ACCOUNTS; account++) {
        const old = oids[account] as number;
        oids[account] = oid();
        writer.modify(account, old, orderOf(account, round));
      }
    });
  }
}

/** Every market's price changes a little, in each of the blocks. */
function* priceUpdates(blocks: Blocks, count: number): Generator<PreparedBlock> {
  for (let i = 0; i < count; i++) {
    const ticks = MARK_TICKS + 1 + (i % 2);
    yield blocks.write((writer) => {
      for (let from = 0; from < MARKETS; from += BATCH_ITEMS_MAX) {
        const prices = Array.from({ length: BATCH_ITEMS_MAX }, (_, k) => ({ market: from + k, spotTicks: ticks, perpTicks: ticks }));
        writer.oracle(ORACLE, prices);
      }
    });
  }
}

async function measure(positions: number, settings: BenchSettings, onRound: (done: number, of: number) => void): Promise<BenchmarkRow[]> {
  const engine = await Engine.create({ genesis, workers: Math.max(...settings.workers) });
  try {
    const blocks = new Blocks();
    const oids: number[] = [];
    for (const block of setup(blocks, positions, oids)) {
      const { receipts } = await engine.execute(block, { model: 'serial' });
      for (let i = 0; i < receipts.count; i++) assert(receipts.code(i) === 0, 'the setup has no failures');
    }
    const orders = [...moves(blocks, Math.max(1, Math.round(settings.commands / ACCOUNTS / 4)), oids)];
    const updates = [...priceUpdates(blocks, 16)];
    const variants = chooseVariants(MODELS, settings);
    const rows = async (what: string, work: readonly PreparedBlock[]): Promise<BenchmarkRow[]> => {
      const parameters = { work: what, positions, accounts: ACCOUNTS };
      const workload = { benchmark: 'risk', parameters, blocks: work, workMicros: 0, codesAreZero: true };
      return compare(engine, workload, variants, settings, onRound);
    };
    return [...(await rows('orders', orders)), ...(await rows('price updates', updates))];
  } finally {
    await engine.close();
  }
}

export const risk: Benchmark = {
  name: 'risk',
  title: 'Risk checks and changes of prices',
  description:
    'Orders that are moved by accounts with 1, 10 and 100 positions, each with its margin check; and blocks of two price reports for 128 markets, after which every account of 4,096 is revalued. A price update counts as two transactions.',
  axis: { parameter: 'positions', title: 'positions an account' },
  async run(settings, progress) {
    const rows: BenchmarkRow[] = [];
    for (const positions of POSITIONS) {
      rows.push(...(await measure(positions, settings, (done, of) => progress(`risk, ${positions} positions`, done, of))));
    }
    return { rows, latencies: [] };
  },
};
