/** What the venue's own pages ask for at once: an account with all that belongs to it, and the markets. */
import type { Address } from '../ledger/transactions.ts';
import { quoteText } from './decimal-text.ts';
import { clearinghouseOf, spotStateOf, unnamedAgent } from './info-accounts.ts';
import { twapStates } from './info-history.ts';
import { assetContexts, atInterestCap, metaJson } from './info-markets.ts';
import { openOrdersOf } from './info-orders.ts';
import { leadingVaults, totalVaultEquity } from './info-vaults.ts';
import type { RequestFields } from './request.ts';
import type { Views } from './views.ts';

export function webData2(views: Views, fields: RequestFields): unknown {
  const user = fields.address();
  const account = views.mirror.numberOf(user);
  return {
    clearinghouseState: clearinghouseOf(views, account),
    leadingVaults: leadingVaults(views, account),
    totalVaultEquity: quoteText(totalVaultEquity(views, account)),
    openOrders: openOrdersOf(views, account, true),
    ...unnamedAgent(views, user),
    cumLedger: quoteText(cumulativeLedger(views, account)),
    meta: metaJson(views),
    assetCtxs: assetContexts(views),
    serverTime: views.timeMs,
    isVault: account !== undefined && views.mirror.vaults.has(account),
    user,
    twapStates: twapStates(views, account),
    spotState: spotStateOf(views, account),
    spotAssetCtxs: [],
    perpsAtOpenInterestCap: atInterestCap(views),
  };
}

/** What came into the account's collateral less what went out, as far as it is remembered. */
function cumulativeLedger(views: Views, account: number | undefined): bigint {
  return account === undefined ? 0n : views.histories.values.depositedOf(account, () => views.accountValue(account));
}

/** As the subscription `webData3` has it. */
export function webData3Of(views: Views, user: Address): Record<string, unknown> {
  const account = views.mirror.numberOf(user);
  return {
    userState: {
      ...unnamedAgent(views, user),
      cumLedger: quoteText(cumulativeLedger(views, account)),
      serverTime: views.timeMs,
      isVault: account !== undefined && views.mirror.vaults.has(account),
      user,
    },
    perpDexStates: [
      {
        totalVaultEquity: quoteText(totalVaultEquity(views, account)),
        perpsAtOpenInterestCap: atInterestCap(views),
        leadingVaults: leadingVaults(views, account),
      },
    ],
  };
}
