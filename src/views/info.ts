/**
 * Requests of `/info` to those who answer them (protocol, appendix C). `docs/api.md` has the table of what is behind each.
 * A `dex` that is not the first venue has no markets; an unknown type is malformed.
 */

import * as accounts from './info-accounts.ts';
import { EMPTY_ANSWERS } from './info-empty.ts';
import * as fees from './info-fees.ts';
import * as history from './info-history.ts';
import * as markets from './info-markets.ts';
import * as orders from './info-orders.ts';
import * as vaults from './info-vaults.ts';
import { webData2 } from './info-web-data.ts';
import { MalformedRequest, RequestFields } from './request.ts';
import type { Views } from './views.ts';

type Answer = (views: Views, fields: RequestFields) => unknown;

/** Of the account that the request names; undefined: there is none. */
const ofAccount =
  (answer: (views: Views, account: number | undefined) => unknown): Answer =>
  (views, fields) =>
    answer(views, views.mirror.numberOf(fields.address()));

/** Answers of the first venue; others have nothing. */
const ofVenue =
  (answer: Answer, empty: unknown): Answer =>
  (views, fields) => {
    const dex = fields.optionalText('dex') ?? '';
    return dex === '' ? answer(views, fields) : empty;
  };

const NO_META = { universe: [], marginTables: [], collateralToken: 0 };

const ANSWERS: Readonly<Record<string, Answer>> = {
  ...EMPTY_ANSWERS,
  // Markets.
  meta: ofVenue(markets.metaJson, NO_META),
  allPerpMetas: (views) => [markets.metaJson(views)],
  metaAndAssetCtxs: ofVenue((views) => [markets.metaJson(views), markets.assetContexts(views)], [NO_META, []]),
  allMids: ofVenue(markets.allMids, {}),
  l2Book: markets.l2Book,
  recentTrades: markets.recentTrades,
  candleSnapshot: markets.candleSnapshot,
  fundingHistory: markets.fundingHistory,
  predictedFundings: markets.predictedFundings,
  perpsAtOpenInterestCap: ofVenue(markets.atInterestCap, []),
  maxMarketOrderNtls: markets.maxMarketOrderNtls,
  marginTable: markets.marginTable,
  exchangeStatus: (views) => ({ time: views.timeMs, specialStatuses: null }),
  // Accounts.
  clearinghouseState: (views, fields) => {
    const account = views.mirror.numberOf(fields.address());
    return accounts.clearinghouseOf(views, (fields.optionalText('dex') ?? '') === '' ? account : undefined);
  },
  spotClearinghouseState: ofAccount(accounts.spotStateOf),
  activeAssetData: accounts.activeAssetData,
  userRole: accounts.userRole,
  extraAgents: accounts.extraAgents,
  userToMultiSigSigners: accounts.multiSigSigners,
  subAccounts: accounts.subAccounts,
  subAccounts2: accounts.subAccounts2,
  preTransferCheck: accounts.preTransferCheck,
  portfolio: ofAccount(accounts.portfolioOf),
  webData2,
  liquidatable: accounts.liquidatable,
  // Orders.
  openOrders: ofVenue(
    ofAccount((views, account) => orders.openOrdersOf(views, account, false)),
    [],
  ),
  frontendOpenOrders: ofVenue(
    ofAccount((views, account) => orders.openOrdersOf(views, account, true)),
    [],
  ),
  historicalOrders: orders.historicalOrders,
  orderStatus: orders.orderStatus,
  // History.
  userFills: history.userFills,
  userFillsByTime: history.userFillsByTime,
  userFunding: history.userFunding,
  userNonFundingLedgerUpdates: history.userNonFundingLedgerUpdates,
  twapHistory: history.twapHistory,
  userTwapSliceFills: history.userTwapSliceFills,
  userTwapSliceFillsByTime: history.userTwapSliceFillsByTime,
  // Vaults.
  vaultDetails: vaults.vaultDetails,
  vaultSummaries: vaults.vaultSummaries,
  userVaultEquities: vaults.userVaultEquities,
  leadingVaults: ofAccount(vaults.leadingVaults),
  // Fees.
  userFees: fees.userFees,
  userRateLimit: fees.userRateLimit,
  referral: fees.referral,
  maxBuilderFee: fees.maxBuilderFee,
  approvedBuilders: fees.approvedBuilders,
};

/** Every type that is answered. */
export const INFO_TYPES: readonly string[] = Object.keys(ANSWERS);

export function answerInfo(views: Views, request: unknown): unknown {
  const fields = new RequestFields(request);
  if (!Object.hasOwn(ANSWERS, fields.type)) throw new MalformedRequest();
  return (ANSWERS[fields.type] as Answer)(views, fields);
}
