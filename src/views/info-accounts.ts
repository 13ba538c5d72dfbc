/** What an account has: margins, positions, balances, roles, agents, sub-accounts, portfolios. Who has no account has the empty state. */
import {
  type AccountSummary,
  accountSummary,
  type MarginSummary,
  type PositionSummary,
  type ValuedMarket,
} from '../exchange/account-summary.ts';
import * as L from '../ledger/layout.ts';
import type { Address } from '../ledger/transactions.ts';
import { quoteText, scaledText } from './decimal-text.ts';
import type { Market } from './market-table.ts';
import type { RequestFields } from './request.ts';
import { MalformedRequest } from './request.ts';
import type { Views } from './views.ts';

type Json = Record<string, unknown>;

/** Prices and rates of summaries. */
const PRICE_DECIMALS = 8;
const U64_MAX = 2n ** 64n - 1n;
const DAY_MS = 86_400_000;

// --- Margins ----------------------------------------------------------------------------------------------------------------------

export function summaryOf(views: Views, account: number): AccountSummary {
  const { mirror, markets } = views;
  const margin = mirror.margin(account);
  /** Only those in which it has a position. */
  const valued: ValuedMarket[] = [];
  const positions = [...mirror.positions.of(account)]
    .filter(([, { sizeLots }]) => sizeLots !== 0n)
    .sort(([a], [b]) => a - b)
    .map(([market, { sizeLots, cost, rawUsd, funding, isolated, leverage }]) => {
      const { parameters, onlyIsolated } = markets.market(market);
      const { unit, ticksPerInteger, tiers } = parameters;
      valued[market] = { unit, ticksPerInteger, tiers, markTicks: mirror.prices[market]?.markTicks ?? 0 };
      // What was paid before the position was opened is not kept.
      const paid = { allTime: funding, sinceOpen: funding, sinceChange: funding };
      const effective = leverage === 0 ? parameters.leverage : leverage;
      return { market, sizeLots, cost, rawUsd, leverage: effective, isolated: isolated || onlyIsolated, funding: paid };
    });
  return accountSummary({ collateral: margin?.collateral ?? 0n, orderMargin: margin?.orderMargin ?? 0n, positions }, valued);
}

function marginSummaryJson(summary: MarginSummary): Json {
  return {
    accountValue: quoteText(summary.accountValue),
    totalNtlPos: quoteText(summary.totalNtlPos),
    totalRawUsd: quoteText(summary.totalRawUsd),
    totalMarginUsed: quoteText(summary.totalMarginUsed),
  };
}

function leverageJson(leverage: PositionSummary['leverage']): Json {
  if (leverage.type === 'cross') return { type: 'cross', value: leverage.value };
  return { type: 'isolated', value: leverage.value, rawUsd: quoteText(leverage.rawUsd) };
}

function positionJson(position: PositionSummary, market: Market): Json {
  const { liquidationPx, cumFunding } = position;
  return {
    coin: market.name,
    szi: market.sizeText(position.szi),
    leverage: leverageJson(position.leverage),
    entryPx: scaledText(position.entryPx, PRICE_DECIMALS),
    positionValue: quoteText(position.positionValue),
    unrealizedPnl: quoteText(position.unrealizedPnl),
    returnOnEquity: scaledText(position.returnOnEquity, PRICE_DECIMALS),
    liquidationPx: liquidationPx === null ? null : scaledText(liquidationPx, PRICE_DECIMALS),
    marginUsed: quoteText(position.marginUsed),
    maxLeverage: position.maxLeverage,
    cumFunding: {
      allTime: quoteText(cumFunding.allTime),
      sinceOpen: quoteText(cumFunding.sinceOpen),
      sinceChange: quoteText(cumFunding.sinceChange),
    },
  };
}

/** CLEARINGHOUSE_STATE of the protocol. */
export function clearinghouseOf(views: Views, account: number | undefined): Json {
  const summary = summaryOf(views, account ?? -1);
  return {
    marginSummary: marginSummaryJson(summary.marginSummary),
    crossMarginSummary: marginSummaryJson(summary.crossMarginSummary),
    crossMaintenanceMarginUsed: quoteText(summary.crossMaintenanceMarginUsed),
    withdrawable: quoteText(summary.withdrawable),
    assetPositions: summary.positions.map((position) => ({
      type: 'oneWay',
      position: positionJson(position, views.markets.market(position.market)),
    })),
    time: views.timeMs,
  };
}

export function activeAssetData(views: Views, fields: RequestFields): unknown {
  const user = fields.address();
  const market = views.markets.find(fields.text('coin'));
  if (market === undefined) throw new MalformedRequest();
  return activeAssetOf(views, user, market);
}

export function activeAssetOf(views: Views, user: Address, market: Market): Json {
  const { mirror } = views;
  const account = mirror.numberOf(user);
  const position = account === undefined ? undefined : mirror.positions.get(account, market.index);
  const value = position?.leverage || market.parameters.leverage;
  const isolated = (position?.isolated ?? false) || market.onlyIsolated;
  const markTicks = mirror.prices[market.index]?.markTicks ?? 0;
  const summary = account === undefined ? undefined : summaryOf(views, account);
  const cross = summary?.crossMarginSummary;
  const reserved = account === undefined ? 0n : (mirror.margin(account)?.orderMargin ?? 0n);
  const free = cross === undefined ? 0n : cross.accountValue - cross.totalMarginUsed - reserved;
  const available = free > 0n ? free : 0n;
  // What closes a position needs no margin, and gives back what it has used.
  const held = position?.sizeLots ?? 0n;
  const perLot = market.notional(markTicks, 1n);
  const lots = perLot === 0n ? 0n : (available * BigInt(value)) / perLot;
  const step = BigInt(market.parameters.lotStep);
  const most = (extra: bigint): bigint => {
    const bounded = lots + extra < market.parameters.maxOrderLots ? lots + extra : market.parameters.maxOrderLots;
    return bounded - (bounded % step);
  };
  const [toBuy, toSell] = [held < 0n ? -2n * held : 0n, held > 0n ? 2n * held : 0n];
  return {
    user,
    coin: market.name,
    leverage: isolated ? { type: 'isolated', value, rawUsd: quoteText(position?.rawUsd ?? 0n) } : { type: 'cross', value },
    maxTradeSzs: [market.sizeText(most(toBuy)), market.sizeText(most(toSell))],
    availableToTrade: [
      quoteText(available + market.notional(markTicks, toBuy) / BigInt(value)),
      quoteText(available + market.notional(markTicks, toSell) / BigInt(value)),
    ],
    markPx: market.priceText(markTicks),
  };
}

// --- Balances ---------------------------------------------------------------------------------------------------------------------

/** Balances of the ledger: there is no spot market, so nothing of them is on hold. */
export function spotStateOf(views: Views, account: number | undefined): Json {
  const { mirror, genesis } = views;
  const balances = account === undefined ? [] : [...mirror.balances.of(account)].sort(([a], [b]) => a - b);
  return {
    balances: balances.map(([token, amount]) => {
      const { name, decimals } = genesis.tokens[token] ?? { name: `${token}`, decimals: 0 };
      return { coin: name, token, total: scaledText(amount, decimals), hold: '0', entryNtl: '0' };
    }),
  };
}

// --- Who acts for whom ------------------------------------------------------------------------------------------------------------

/** What an address is here, in the protocol's words, and whose agent or sub-account. */
export interface UserRole {
  readonly role: 'missing' | 'user' | 'vault' | 'agent' | 'subAccount';
  readonly owner?: Address | undefined;
}

/** Nearly everybody; asked for with every request. */
const MISSING: UserRole = { role: 'missing' };
const USER: UserRole = { role: 'user' };
const VAULT: UserRole = { role: 'vault' };

export function roleOf({ mirror }: Views, user: Address): UserRole {
  const number = mirror.numberOf(user);
  const account = number === undefined ? undefined : mirror.account(number);
  if (account === undefined) return MISSING;
  switch (account.role) {
    case L.ROLE_RETIRED:
      return MISSING;
    case L.ROLE_AGENT:
      return { role: 'agent', owner: mirror.addressOf(account.owner) };
    case L.ROLE_SUB_ACCOUNT:
      return { role: 'subAccount', owner: mirror.addressOf(account.owner) };
    case L.ROLE_VAULT:
      return VAULT;
    default:
      return USER;
  }
}

export function userRole(views: Views, fields: RequestFields): unknown {
  const { role, owner } = roleOf(views, fields.address());
  if (role === 'agent') return { role, data: { user: owner } };
  return role === 'subAccount' ? { role, data: { master: owner } } : { role };
}

interface Agent {
  readonly address: Address;
  readonly name: string;
  readonly validUntil: number | null;
}

/** Agents that may act now; the unnamed one has the name ''. */
function agentsOf(views: Views, user: Address): Agent[] {
  const { mirror } = views;
  const number = mirror.numberOf(user);
  if (number === undefined) return [];
  const agents = [...mirror.agents.of(number)].sort(([a], [b]) => (a < b ? -1 : 1));
  return agents.flatMap(([name, agent]) => {
    const account = mirror.account(agent);
    if (account === undefined || mirror.ownerOfAgent(agent, views.timeMs) !== number) return [];
    return [{ address: account.address, name, validUntil: account.expiresMs === U64_MAX ? null : Number(account.expiresMs) }];
  });
}

export function extraAgents(views: Views, fields: RequestFields): unknown {
  return agentsOf(views, fields.address()).filter(({ name }) => name !== '');
}

export function unnamedAgent(
  views: Views,
  user: Address,
): { readonly agentAddress: Address | null; readonly agentValidUntil: number | null } {
  const agent = agentsOf(views, user).find(({ name }) => name === '');
  return { agentAddress: agent?.address ?? null, agentValidUntil: agent?.validUntil ?? null };
}

export function multiSigSigners(views: Views, fields: RequestFields): unknown {
  const { mirror } = views;
  const number = mirror.numberOf(fields.address());
  const account = number === undefined ? undefined : mirror.account(number);
  if (number === undefined || account === undefined || account.threshold === 0) return null;
  const current = [...mirror.signers.of(number)].filter(([, set]) => set === account.signerSet);
  const authorizedUsers = current.map(([signer]) => mirror.addressOf(signer) ?? '').sort();
  return { authorizedUsers, threshold: account.threshold };
}

/** Sub-accounts, oldest number first. Those without a name are counted. */
function subAccountsOf(views: Views, user: Address): { readonly number: number; readonly name: string; readonly address: Address }[] {
  const { mirror } = views;
  const master = mirror.numberOf(user);
  if (master === undefined) return [];
  return [...mirror.owned.of(master).keys()]
    .sort((a, b) => a - b)
    .flatMap((number) => {
      const account = mirror.account(number);
      return account?.role === L.ROLE_SUB_ACCOUNT ? [{ number, address: account.address }] : [];
    })
    .map((account, i) => ({ ...account, name: mirror.names.get(account.number) ?? `Sub-account ${i + 1}` }));
}

export function subAccounts(views: Views, fields: RequestFields): unknown {
  return subAccountAnswers(views, fields, (state) => ({ clearinghouseState: state }));
}

export function subAccounts2(views: Views, fields: RequestFields): unknown {
  return subAccountAnswers(views, fields, (state) => ({ dexToClearinghouseState: [['', state]] }));
}

/** Null for an account that has none. `states`: how the state of the one dex is told. */
function subAccountAnswers(views: Views, fields: RequestFields, states: (state: unknown) => object): unknown {
  const master = fields.address();
  const accounts = subAccountsOf(views, master);
  if (accounts.length === 0) return null;
  return accounts.map(({ number, name, address }) => ({
    name,
    subAccountUser: address,
    master,
    ...states(clearinghouseOf(views, number)),
    spotState: spotStateOf(views, number),
  }));
}

export function preTransferCheck(views: Views, fields: RequestFields): unknown {
  fields.address('source');
  const number = views.mirror.numberOf(fields.address());
  const sent = number !== undefined && views.mirror.volumeOf(number).all > 0n;
  return { fee: '0', isSanctioned: false, userExists: number !== undefined, userHasSentTx: sent };
}

/** Isolated positions and accounts below their maintenance margin: blocks leave none behind. */
export const liquidatable = (): unknown => [];

// --- Portfolios -------------------------------------------------------------------------------------------------------------------

const PERIODS = [
  ['day', DAY_MS],
  ['week', 7 * DAY_MS],
  ['month', 30 * DAY_MS],
  ['allTime', Number.POSITIVE_INFINITY],
] as const;

export function portfolioOf(views: Views, account: number | undefined): unknown {
  const perps = PERIODS.map(([, lengthMs]) => {
    const points =
      account === undefined
        ? []
        : views.histories.values.since(account, views.timeMs - lengthMs, views.timeMs, views.accountValue(account));
    return {
      accountValueHistory: points.map(({ timeMs, value }) => [timeMs, quoteText(value)]),
      pnlHistory: points.map(({ timeMs, pnl }) => [timeMs, quoteText(pnl)]),
      vlm: quoteText(account === undefined ? 0n : volumeSince(views, account, lengthMs)),
    };
  });
  const named = (prefix: string): unknown[] =>
    PERIODS.map(([name], i) => [prefix === '' ? name : `${prefix}${name[0]?.toUpperCase()}${name.slice(1)}`, perps[i]]);
  // There is nothing but perpetuals, so the second four are the first four.
  return [...named(''), ...named('perp')];
}

/** In whole UTC days of the last 14 and today. */
function volumeSince({ mirror }: Views, account: number, lengthMs: number): bigint {
  const { all, taker, maker } = mirror.volumeOf(account);
  const days = Math.ceil(lengthMs / DAY_MS);
  if (days > 14) return all;
  const rolled = mirror.dailyVolumes(account).slice(1 - days || undefined);
  return taker + maker + (days === 1 ? 0n : rolled.reduce((sum, day) => sum + day.taker + day.maker, 0n));
}
