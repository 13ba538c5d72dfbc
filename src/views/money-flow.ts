/** What a movement of money means for one of its accounts: for its collateral, and in the protocol's words (`userNonFundingLedgerUpdates`). */
import * as X from '../exchange/layout.ts';
import type { Address } from '../ledger/transactions.ts';
import { quoteText, scaledText } from './decimal-text.ts';
import { type MoneyFact, NOBODY } from './facts.ts';
import type { MarketTable } from './market-table.ts';

export interface LedgerUpdate {
  readonly time: number;
  readonly hash: string;
  readonly delta: { readonly type: string; readonly [field: string]: unknown };
}

/** By how much the account's collateral has grown from outside of its trading, in quote units. */
export function collateralFlow({ account, event }: MoneyFact): bigint {
  if (event.kind !== 'money') return 0n;
  const { from, to, amount, fee, transaction } = event;
  if (transaction === X.KIND_CLAIM_REWARDS) return to === account ? amount : 0n;
  const commission = transaction === X.KIND_VAULT_TRANSFER ? fee : 0n;
  if (from !== account && to !== account) return commission;
  return (to === account ? amount - commission : 0n) - (from === account ? amount : 0n);
}

interface LedgerNames {
  readonly markets: MarketTable;
  readonly tokens: readonly { readonly name: string; readonly decimals: number }[];
  readonly addressOf: (account: number) => Address;
  readonly isVault: (account: number) => boolean;
}

/** Undefined: nothing that the protocol tells the account. */
export function ledgerUpdate(fact: MoneyFact, names: LedgerNames): LedgerUpdate | undefined {
  const delta = deltaOf(fact, names);
  return delta && { time: fact.timeMs, hash: fact.transaction.hash, delta };
}

function deltaOf(fact: MoneyFact, names: LedgerNames): LedgerUpdate['delta'] | undefined {
  const { event } = fact;
  const { addressOf } = names;
  if (event.kind === 'transfer') {
    const token = names.tokens[event.token];
    const amount = scaledText(event.amount, token?.decimals ?? 0);
    return {
      type: 'spotTransfer',
      token: token?.name ?? `${event.token}`,
      amount,
      usdcValue: event.token === 0 ? amount : '0',
      user: addressOf(event.sender),
      destination: addressOf(event.recipient),
      fee: '0',
      nativeTokenFee: '0',
      nonce: fact.nonce === undefined ? null : Number(fact.nonce),
      feeToken: '',
    };
  }
  if (event.kind === 'forced') {
    return {
      type: 'liquidation',
      liquidatedNtlPos: quoteText(event.notional),
      accountValue: quoteText(event.accountValue),
      leverageType: event.scope === 0 ? 'Cross' : 'Isolated',
      liquidatedPositions: event.positions.map(({ market, lots }) => {
        const { name } = names.markets.market(market);
        return { coin: name, szi: names.markets.market(market).sizeText(lots) };
      }),
    };
  }
  return moneyDelta(fact, event, names);
}

function moneyDelta(
  fact: MoneyFact,
  event: Extract<MoneyFact['event'], { kind: 'money' }>,
  names: LedgerNames,
): LedgerUpdate['delta'] | undefined {
  const { from, to, fee } = event;
  const usdc = quoteText(event.amount);
  const { addressOf } = names;
  const parties = { user: from === NOBODY ? '' : addressOf(from), destination: to === NOBODY ? '' : addressOf(to) };
  switch (event.transaction) {
    case X.KIND_DEPOSIT:
      return { type: 'accountClassTransfer', usdc, toPerp: true };
    case X.KIND_TO_SPOT:
      return { type: 'accountClassTransfer', usdc, toPerp: false };
    case X.KIND_SEND_PERP:
      return { type: 'internalTransfer', usdc, ...parties, fee: quoteText(fee) };
    case X.KIND_WITHDRAW:
      return { type: 'withdraw', usdc, nonce: Number(fact.nonce ?? 0n), fee: quoteText(fee) };
    case X.KIND_SUB_TRANSFER:
      return { type: 'subAccountTransfer', usdc, ...parties };
    case X.KIND_CLAIM_REWARDS:
      return { type: 'rewardsClaim', amount: usdc, token: names.markets.quote };
    case X.KIND_CREATE_VAULT:
      return { type: 'vaultCreate', vault: addressOf(to), usdc, fee: quoteText(fee) };
    case X.KIND_VAULT_TRANSFER:
      if (fact.account !== from && fact.account !== to) return { type: 'vaultLeaderCommission', user: addressOf(to), usdc: quoteText(fee) };
      if (names.isVault(to) && !names.isVault(from)) return { type: 'vaultDeposit', vault: addressOf(to), usdc };
      return {
        type: 'vaultWithdraw',
        vault: addressOf(from),
        user: addressOf(to),
        requestedUsd: usdc,
        commission: quoteText(fee),
        closingCost: '0',
        basis: '0',
        netWithdrawnUsd: quoteText(event.amount - fee),
      };
    default:
      return undefined;
  }
}
