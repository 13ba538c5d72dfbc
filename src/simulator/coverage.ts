/**
 * What random blocks have come to: outcomes of the naive twin, counted by name. A generator is worth its seeds only if it reaches them all.
 *
 *   transaction CODE_..., item CODE_..., active CODE_...   by receipts, ITEM and ACTIVE events
 *   REASON_..., CAUSE_..., ACTIVE_..., EVENT_...           as in src/base/codes.ts and the layout pages
 *   accepted KIND, KIND for another, KIND by signers
 *   taker opens, maker flips, ...                          what fills do to positions
 *   record CLASS, and traits of the state at the end       once a seed; of dormant accounts after every block
 */
import * as codes from '../base/codes.ts';
import * as E from '../exchange/layout.ts';
import * as L from '../ledger/layout.ts';
import type { Transaction } from '../ledger/transactions.ts';
import { eventsOf } from './event-text.ts';
import { type RandomBlocksOptions, randomGenesis, randomHistory, type Step } from './random-blocks.ts';

export type Coverage = Map<string, number>;

/** Runs the blocks of the seeds on the twin and counts. */
export function coverageOf(seeds: Iterable<number>, options: RandomBlocksOptions = {}): Coverage {
  const coverage: Coverage = new Map();
  for (const seed of seeds) {
    const count = (name: string): void => void coverage.set(name, (coverage.get(name) ?? 0) + 1);
    let last: Step | undefined;
    for (const step of randomHistory(seed, randomGenesis(seed, options.focus), options)) {
      countStep(step, count);
      countDormant(step, count);
      last = step;
    }
    if (last !== undefined) countState(last, count);
  }
  return coverage;
}

/** Trigger orders that one transaction fires (docs/rules.md, 6.3). */
const TRIGGERS_MAX = 64;

type Count = (name: string) => void;

/** Names of constants that start so, by value. */
function namesOf(constants: Readonly<Record<string, unknown>>, prefix: string): Map<unknown, string> {
  return new Map(Object.entries(constants).flatMap(([name, value]) => (name.startsWith(prefix) ? [[value, name] as const] : [])));
}

const CODES = namesOf(codes, 'CODE_');
const REASONS = namesOf(codes, 'REASON_');
const CAUSES = namesOf(codes, 'CAUSE_');
const ACTIVES = namesOf(E, 'ACTIVE_');
export const EVENTS: ReadonlyMap<unknown, string> = new Map(
  [...namesOf(L, 'EVENT_'), ...namesOf(E, 'EVENT_')].filter(([, name]) => !name.endsWith('_BYTES')),
);

function countStep({ block, receipts }: Step, count: Count): void {
  receipts.forEach(({ code, events }, i) => {
    const transaction = block.transactions[i];
    if (transaction !== undefined) {
      count(`transaction ${CODES.get(code)}`);
      if (code === codes.CODE_OK) countAccepted(transaction, count);
    }
    const found = [...eventsOf(events)];
    for (const event of found) countEvent(event, transaction, count);
    if (transaction !== undefined) return;
    const full = (kind: number): number => found.filter((event) => event.getUint8(0) === kind).length;
    if (full(E.EVENT_CANCEL) >= E.CANCELS_MAX) count('as many cancels as one transaction may make');
    if (full(E.EVENT_ACTIVE) >= TRIGGERS_MAX) count('as many trigger orders as one transaction may fire');
  });
}

function countAccepted(transaction: Transaction, count: Count): void {
  const { kind, behalf, multiSig } = transaction;
  count(`accepted ${kind}`);
  if (behalf !== undefined) count(`${kind} for another`);
  if (multiSig !== undefined) count(`${kind} by signers`);
}

function countEvent(event: DataView, transaction: Transaction | undefined, count: Count): void {
  const kind = event.getUint8(0);
  count(EVENTS.get(kind) ?? `event ${kind}`);
  switch (kind) {
    case E.EVENT_ITEM: {
      const name = CODES.get(event.getUint16(6, true));
      const item = transaction?.kind === 'orders' ? transaction.items[event.getUint16(4, true)] : undefined;
      count(`item ${name}`);
      if (item !== undefined) count(`${item.op} ${name}`);
      if (item !== undefined && name === 'CODE_OK' && (item.op === 'place' || item.op === 'modify')) {
        const filled = event.getBigInt64(16, true) > 0n ? 'filled' : 'unfilled';
        count(`${item.tif} ${filled}${event.getBigInt64(24, true) > 0n ? ', rests' : ''}`);
        if (item.reduceOnly === true) count(`reduce-only ${filled}`);
        if (event.getBigUint64(8, true) % 8192n >= 64n) count('slot of a later page');
      }
      break;
    }
    case E.EVENT_CANCEL:
      count(REASONS.get(event.getUint16(4, true)) ?? 'cancel without a reason');
      break;
    case E.EVENT_ACTIVE:
      count(`active ${CODES.get(event.getUint16(4, true))}`);
      count(ACTIVES.get(event.getUint32(36, true)) ?? 'active');
      break;
    case E.EVENT_FORCED: {
      const cause = CAUSES.get(event.getUint32(4, true)) ?? 'CAUSE_?';
      const isolated = event.getUint32(12, true) > 0 ? ' isolated' : '';
      const cover = cause === 'CAUSE_BACKSTOP' && event.getUint32(44, true) === 0xffffffff ? ' cover' : '';
      count(cause);
      count(`forced ${cause}${isolated}${cover}`);
      break;
    }
    case E.EVENT_FILL:
      countFill(event, count);
      break;
    case E.EVENT_FUNDING: {
      const rate = event.getBigInt64(8, true);
      count(`funding rate ${rate > 0n ? 'positive' : rate < 0n ? 'negative' : 'zero'}`);
      break;
    }
    default:
  }
}

function countFill(event: DataView, count: Count): void {
  const flags = event.getUint32(36, true);
  const cause = CAUSES.get(flags >>> 1) ?? 'CAUSE_?';
  const lots = event.getBigInt64(40, true) * (flags % 2 === 1 ? -1n : 1n);
  count(cause);
  count(`fill ${cause}`);
  if (event.getBigInt64(56, true) < 0n) count('rebate');
  if (event.getBigInt64(96, true) > 0n) count("taker's builder fee");
  if (event.getBigInt64(104, true) > 0n) count("maker's builder fee");
  count(`taker ${changeOf(event.getBigInt64(80, true), lots)}`);
  count(`maker ${changeOf(event.getBigInt64(88, true), -lots)}`);
}

function changeOf(before: bigint, delta: bigint): string {
  const after = before + delta;
  if (before === 0n) return 'opens';
  if (after === 0n) return 'closes';
  if (before > 0n !== after > 0n) return 'flips';
  return before > 0n === delta > 0n ? 'increases' : 'decreases';
}

/** What dormant accounts have; after every block, since few stay dormant to the end. */
function countDormant({ ledger }: Step, count: Count): void {
  for (const { account, margin, positions, volume } of ledger.state.dormant.values()) {
    if (margin !== undefined) count('dormant account with a margin account');
    if (positions !== undefined) count('dormant account with a position');
    if (volume?.history !== undefined) count('dormant account with a history');
    if (account.name !== '') count('dormant account with a name');
  }
}

function countState({ ledger }: Step, count: Count): void {
  for (const name of new Set(ledger.records().map((record) => record.recordClass))) count(`record ${name}`);
  const { accounts, state } = ledger;
  const margins = [...state.marginAccounts.values()];
  const settings = [...state.settings.values()];
  const positions = [...state.positions.values()].flatMap((ofAccount) => [...ofAccount.values()]);
  const traits: Readonly<Record<string, boolean>> = {
    'nonce ring full': accounts.accounts().some((account) => accounts.nonces(account).length === L.NONCES_KEPT),
    'no number left': accounts.freeNumbers === 0,
    'fee tier': margins.some(({ feeTier }) => feeTier > 0),
    'maker tier': margins.some(({ makerTier }) => makerTier > 0),
    referred: settings.some(({ referrer }) => referrer > 0),
    'partial liquidation': settings.some(({ cooldownMs }) => cooldownMs > 0n),
    'scheduled cancel': settings.some(({ scheduleCount }) => scheduleCount > 0),
    'isolated position': positions.some(({ isolated, sizeLots }) => isolated && sizeLots !== 0n),
    'funding paid': positions.some(({ funding }) => funding !== 0n),
    'deficit covered': state.treasury.covered > 0n,
    withdrawn: state.treasury.withdrawn > 0n,
    delisted: state.markets.some(({ delisting }) => (delisting?.delistedMs ?? 0n) > 0n),
    'average of a hyperp': state.markets.some(({ hyperWeight }) => hyperWeight > 0n),
    'basis and book averages': state.markets.some(({ basisWeight, bookWeight }) => basisWeight > 0n && bookWeight > 0n),
    iceberg: state.orders.some(({ hiddenLots }) => hiddenLots > 0n),
    'open interest capped': state.markets.some(({ capped }) => capped),
    'account became dormant': state.folded > 0,
    'dormant account revived': state.revived > 0,
    'no number for a dormant account': state.stayedDormant > 0,
    'open interest grows too fast': state.markets.some(({ fast }) => fast),
  };
  for (const [name, holds] of Object.entries(traits)) if (holds) count(name);
}
