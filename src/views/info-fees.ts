/** Fees, volumes, referrals and what an address may still send. */
import { ppmText, quoteText } from './decimal-text.ts';
import type { RequestFields } from './request.ts';
import type { Views } from './views.ts';

const DAY_MS = 86_400_000;
const QUOTE_UNIT = 1_000_000n;
/** Of the protocol: an address starts with so many requests, and has one more for each unit of the quote token that it has traded. */
const REQUESTS_FIRST = 10_000;

const dateOf = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10);

/** Base rates are those of the market that most markets agree with: the first. */
export function userFees(views: Views, fields: RequestFields): unknown {
  const { mirror, exchange, markets, histories, timeMs } = views;
  const account = views.mirror.numberOf(fields.address());
  const margin = account === undefined ? undefined : mirror.margin(account);
  const base = markets.markets[0]?.parameters;
  const [cross, add] = [base?.takerFeePpm ?? 0, base?.makerFeePpm ?? 0];
  const tier = exchange.feeTiers[(margin?.feeTier ?? 0) - 1];
  const rebate = exchange.makerRebates[(margin?.makerTier ?? 0) - 1];
  const userCross = Math.min(cross, tier?.takerPpm ?? cross);
  const userAdd = Math.min(add, tier?.makerPpm ?? add, rebate?.makerPpm ?? add);
  const referred = margin?.referred === true && account !== undefined && mirror.volumeOf(account).all < exchange.referralVolume;
  const today = Math.floor(timeMs / DAY_MS);
  const days = account === undefined ? [] : mirror.dailyVolumes(account);
  const { taker, maker } = account === undefined ? { taker: 0n, maker: 0n } : mirror.volumeOf(account);
  return {
    dailyUserVlm: [...days, { day: today, taker, maker }].map((day) => ({
      date: dateOf(day.day),
      userCross: quoteText(day.taker),
      userAdd: quoteText(day.maker),
      exchange: quoteText(histories.volumeOfDay(day.day)),
    })),
    feeSchedule: {
      cross: ppmText(cross),
      add: ppmText(add),
      spotCross: '0',
      spotAdd: '0',
      tiers: {
        vip: exchange.feeTiers.map(({ volume, takerPpm, makerPpm }) => ({
          ntlCutoff: quoteText(volume),
          cross: ppmText(takerPpm),
          add: ppmText(makerPpm),
          spotCross: '0',
          spotAdd: '0',
        })),
        mm: exchange.makerRebates.map(({ sharePpm, makerPpm }) => ({ makerFractionCutoff: ppmText(sharePpm), add: ppmText(makerPpm) })),
      },
      referralDiscount: ppmText(exchange.referralDiscountPpm),
      stakingDiscountTiers: [{ bpsOfMaxSupply: '0', discount: '0' }],
    },
    userCrossRate: ppmText(userCross),
    userAddRate: ppmText(userAdd),
    userSpotCrossRate: '0',
    userSpotAddRate: '0',
    activeReferralDiscount: referred ? ppmText(exchange.referralDiscountPpm) : '0',
    trial: null,
    feeTrialEscrow: '0',
    nextTrialAvailableTimestamp: null,
    stakingLink: null,
    activeStakingDiscount: { bpsOfMaxSupply: '0', discount: '0' },
  };
}

export function userRateLimit(views: Views, fields: RequestFields): unknown {
  const user = fields.address();
  const account = views.mirror.numberOf(user);
  const volume = account === undefined ? 0n : views.mirror.volumeOf(account).all;
  return {
    cumVlm: quoteText(volume),
    nRequestsUsed: views.requestsUsed(user),
    nRequestsCap: REQUESTS_FIRST + Number(volume / QUOTE_UNIT),
    nRequestsSurplus: 0,
  };
}

export function referral(views: Views, fields: RequestFields): unknown {
  const { mirror } = views;
  const account = mirror.numberOf(fields.address());
  const referrer = (account === undefined ? 0 : (mirror.settingsOf(account)?.referrer ?? 0)) - 1;
  const rewards = account === undefined ? { builder: 0n, referral: 0n } : mirror.rewardsOf(account);
  const volume = account === undefined ? 0n : mirror.volumeOf(account).all;
  const code = account === undefined ? undefined : codeOf(views, account);
  const sums = {
    cumVlm: quoteText(volume),
    unclaimedRewards: quoteText(rewards.builder + rewards.referral),
    claimedRewards: '0',
    builderRewards: quoteText(rewards.builder),
  };
  return {
    referredBy: referrer < 0 ? null : { referrer: views.addressOf(referrer), code: codeOf(views, referrer) ?? '' },
    ...sums,
    referrerState:
      code === undefined ? { stage: 'needToCreateCode' } : { stage: 'ready', data: referrerData(views, account as number, code) },
    rewardHistory: [],
    tokenToState: account === undefined ? [] : [[0, sums]],
  };
}

/** Of several codes the first by letters. */
function codeOf({ mirror }: Views, account: number): string | undefined {
  return [...mirror.referralCodes.of(account).keys()].sort()[0];
}

/** The ledger keeps who has referred whom, not what each of them has brought. */
function referrerData(views: Views, account: number, code: string): unknown {
  const referred = [...views.mirror.referred.of(account).keys()].sort((a, b) => a - b);
  const referralStates = referred.map((user) => ({
    cumVlm: quoteText(views.mirror.volumeOf(user).all),
    cumRewardedFeesSinceReferred: '0',
    cumFeesRewardedToReferrer: '0',
    timeJoined: 0,
    user: views.addressOf(user),
    tokenToState: [],
  }));
  return { code, nReferrals: referred.length, referralStates };
}

/** In tenths of a basis point; 0: not approved. */
export function maxBuilderFee({ mirror }: Views, fields: RequestFields): unknown {
  const user = mirror.numberOf(fields.address());
  const builder = mirror.numberOf(fields.address('builder'));
  return user === undefined || builder === undefined ? 0 : (mirror.approvals.get(user, builder) ?? 0);
}

export function approvedBuilders(views: Views, fields: RequestFields): unknown {
  const user = views.mirror.numberOf(fields.address());
  return user === undefined ? [] : [...views.mirror.approvals.of(user).keys()].sort((a, b) => a - b).map(views.addressOf);
}
