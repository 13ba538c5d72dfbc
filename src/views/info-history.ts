/** What has happened to an account: fills, funding, money, TWAPs. Times in requests are of both ends, in ms. */
import type { FillFact, MoneyFact } from './facts.ts';
import { aggregatedFills, fillJson, paymentRowJson, sliceFillJson, twapRowJson, twapStateJson } from './history-json.ts';
import { type LedgerUpdate, ledgerUpdate } from './money-flow.ts';
import type { RequestFields } from './request.ts';
import type { Views } from './views.ts';

const FILL_ROWS = 2000;
const HISTORY_ROWS = 500;

export function fillRows(views: Views, fills: readonly FillFact[], aggregate: boolean): Record<string, unknown>[] {
  if (aggregate) return aggregatedFills(fills, views.markets, views.addressOf);
  return fills.map((fill) => fillJson(fill, views.markets, views.addressOf));
}

/** The newest 2,000, newest first. */
export function userFills(views: Views, fields: RequestFields): unknown {
  const user = fields.address();
  const aggregate = fields.flag('aggregateByTime');
  const account = views.mirror.numberOf(user);
  if (account === undefined) return [];
  const newest = views.histories.fills.newest(account, FILL_ROWS).reverse();
  return fillRows(views, newest, aggregate).reverse();
}

/** The first 2,000 of these times, older ones from the store. */
export function userFillsByTime(views: Views, fields: RequestFields): unknown {
  const user = fields.address();
  const { fromMs, toMs } = fields.times();
  const [aggregate, reversed] = [fields.flag('aggregateByTime'), fields.flag('reversed')];
  const account = views.mirror.numberOf(user);
  if (account === undefined) return [];
  const { histories, archive } = views;
  if (reversed) {
    const newest = histories.fills.newestBetween(account, fromMs, toMs, FILL_ROWS).reverse();
    return fillRows(views, newest, aggregate).reverse();
  }
  const older = archive?.fills(user, account, fromMs, toMs, FILL_ROWS) ?? [];
  const fills = [...older, ...histories.fills.between(account, fromMs, toMs, FILL_ROWS - older.length)];
  return fillRows(views, fills, aggregate);
}

export function userFunding(views: Views, fields: RequestFields): unknown {
  const account = views.mirror.numberOf(fields.address());
  const { fromMs, toMs } = fields.times(true);
  if (account === undefined) return [];
  return views.histories.payments.between(account, fromMs, toMs, HISTORY_ROWS).map((row) => paymentRowJson(row, views.markets));
}

export function ledgerUpdates(views: Views, facts: readonly MoneyFact[]): LedgerUpdate[] {
  const { markets, genesis, mirror, addressOf } = views;
  const names = { markets, tokens: genesis.tokens, addressOf, isVault: (account: number) => mirror.vaults.has(account) };
  return facts.flatMap((fact) => ledgerUpdate(fact, names) ?? []);
}

export function userNonFundingLedgerUpdates(views: Views, fields: RequestFields): unknown {
  const user = fields.address();
  const { fromMs, toMs } = fields.times(true);
  const account = views.mirror.numberOf(user);
  if (account === undefined) return [];
  const older = views.archive?.money(user, account, fromMs, toMs, HISTORY_ROWS) ?? [];
  const facts = [...older, ...views.histories.money.between(account, fromMs, toMs, HISTORY_ROWS - older.length)];
  return ledgerUpdates(views, facts);
}

// --- TWAPs ------------------------------------------------------------------------------------------------------------------------

/** Newest first. */
export function twapHistoryOf({ histories, markets, addressOf }: Views, account: number): unknown[] {
  return histories.twaps.newest(account, FILL_ROWS).map((fact) => twapRowJson(fact, markets, addressOf));
}

export function twapHistory(views: Views, fields: RequestFields): unknown {
  const account = views.mirror.numberOf(fields.address());
  return account === undefined ? [] : twapHistoryOf(views, account);
}

export function sliceFillRows({ markets }: Views, fills: readonly FillFact[]): unknown[] {
  return fills.map((fill) => ({ fill: sliceFillJson(fill, markets), twapId: fill.twapId }));
}

export function userTwapSliceFills(views: Views, fields: RequestFields): unknown {
  const account = views.mirror.numberOf(fields.address());
  return account === undefined ? [] : sliceFillRows(views, views.histories.sliceFills.newest(account, FILL_ROWS));
}

export function userTwapSliceFillsByTime(views: Views, fields: RequestFields): unknown {
  const account = views.mirror.numberOf(fields.address());
  const { fromMs, toMs } = fields.times();
  return account === undefined ? [] : sliceFillRows(views, views.histories.sliceFills.between(account, fromMs, toMs, FILL_ROWS));
}

/** Running ones by id. */
export function twapStates({ mirror, histories, markets, addressOf }: Views, account: number | undefined): unknown[] {
  const running = account === undefined ? [] : [...mirror.twaps.of(account).values()].sort((a, b) => a.id - b.id);
  return running.flatMap(({ id }) => {
    const progress = histories.twapProgress.get(account as number, id);
    if (progress === undefined) return [];
    return [[id, twapStateJson(progress.terms, progress.executedLots, progress.executedNotional, markets, addressOf)]];
  });
}
