/**
 * What Heddle does not have: spot trading, staking, lending, outcomes, other perpetual venues, validators with votes. The answers are those
 * of a venue where nothing of it has happened, so that clients that ask for everything at their start go on.
 */
import type { RequestFields } from './request.ts';
import { MalformedRequest } from './request.ts';
import type { Views } from './views.ts';

const NO_AUCTION = { currentGas: null, durationSeconds: 0, endGas: null, startGas: '0', startTimeSeconds: 0 };
const NO_RESERVE = {
  borrowYearlyRate: '0',
  supplyYearlyRate: '0',
  balance: '0',
  utilization: '0',
  oraclePx: '0',
  ltv: '0',
  totalSupplied: '0',
  totalBorrowed: '0',
};

/** The tokens of the ledger; there is no pair that trades them. */
export function spotMeta({ genesis }: Views): Record<string, unknown> {
  return {
    universe: [],
    tokens: genesis.tokens.map(({ name, decimals }, index) => ({
      name,
      szDecimals: decimals,
      weiDecimals: decimals,
      index,
      tokenId: tokenId(index),
      isCanonical: index === 0,
      evmContract: null,
      fullName: null,
      deployerTradingFeeShare: '0',
    })),
  };
}

/** 16 bytes, the index at their end. */
const tokenId = (index: number): string => `0x${index.toString(16).padStart(32, '0')}`;

/** Checks the field and forgets it. */
type Answer = (views: Views, fields: RequestFields) => unknown;
const ofUser =
  (answer: unknown): Answer =>
  (_, fields) => {
    fields.address();
    return answer;
  };
const plain =
  (answer: unknown): Answer =>
  () =>
    answer;

export const EMPTY_ANSWERS: Readonly<Record<string, Answer>> = {
  // Spot.
  spotMeta: (views) => spotMeta(views),
  spotMetaAndAssetCtxs: (views) => [spotMeta(views), []],
  spotDeployState: ofUser({ states: [], gasAuction: NO_AUCTION }),
  spotPairDeployAuctionStatus: plain(NO_AUCTION),
  tokenDetails: (views, fields) => tokenDetails(views, fields.text('tokenId')),
  // Staking and validators.
  delegations: ofUser([]),
  delegatorHistory: ofUser([]),
  delegatorRewards: ofUser([]),
  delegatorSummary: ofUser({ delegated: '0', undelegated: '0', totalPendingWithdrawal: '0', nPendingWithdrawals: 0 }),
  validatorL1Votes: plain([]),
  validatorSummaries: plain([]),
  gossipRootIps: plain([]),
  gossipPriorityAuctionStatus: plain([[], []]),
  // Lending.
  allBorrowLendReserveStates: plain([]),
  borrowLendReserveState: (_, fields) => {
    fields.integer('token');
    return NO_RESERVE;
  },
  borrowLendUserState: ofUser({ tokenToState: [], health: 'healthy', healthFactor: null }),
  userBorrowLendInterest: (_, fields) => {
    fields.address();
    fields.times();
    return [];
  },
  // Outcomes.
  outcomeMeta: plain({ outcomes: [], questions: [] }),
  outcomeTemplates: plain([]),
  settledOutcome: (_, fields) => {
    fields.integer('outcome');
    return null;
  },
  // Other venues of perpetuals.
  perpDexs: plain([null]),
  perpDexLimits: (_, fields) => {
    fields.text('dex');
    return null;
  },
  perpDexStatus: (_, fields) => {
    fields.text('dex');
    return { totalNetDeposit: '0' };
  },
  perpDeployAuctionStatus: plain(NO_AUCTION),
  perpAnnotation: (_, fields) => {
    fields.text('coin');
    return null;
  },
  perpCategories: plain([]),
  perpConciseAnnotations: plain([]),
  // Modes and permissions of the venue around the exchange.
  isVip: ofUser(false),
  legalCheck: ofUser({ acceptedTerms: true, userAllowed: true, restrictions: 'n' }),
  userAbstraction: ofUser('default'),
  userDexAbstraction: ofUser(null),
  usdcRouting: plain({ depositRoute: 'bridge', withdrawalRoute: 'bridge' }),
};

function tokenDetails({ genesis }: Views, id: string): unknown {
  if (!/^0x[0-9a-f]{1,64}$/i.test(id)) throw new MalformedRequest();
  const index = genesis.tokens.findIndex((_, at) => tokenId(at) === id.toLowerCase());
  const { name, decimals } = genesis.tokens[index] ?? { name: '', decimals: 0 };
  return {
    name,
    maxSupply: '0',
    totalSupply: '0',
    circulatingSupply: '0',
    szDecimals: decimals,
    weiDecimals: decimals,
    midPx: '0',
    markPx: '0',
    prevDayPx: '0',
    genesis: null,
    deployer: null,
    deployGas: null,
    deployTime: null,
    seededUsdc: '0',
    nonCirculatingUserBalances: [],
    futureEmissions: '0',
  };
}
