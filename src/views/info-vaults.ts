/**
 * Vaults and those who have put money into them. Equity is the share of what the vault is worth (docs/rules.md, 8).
 * Vaults that were made without a name are counted, and the backstop vault says what it is.
 */
import { NO_ACCOUNT } from '../kernel/layout.ts';
import type { Address } from '../ledger/transactions.ts';
import { quoteText } from './decimal-text.ts';
import { portfolioOf, summaryOf } from './info-accounts.ts';
import type { FollowerState, VaultState } from './records.ts';
import type { RequestFields } from './request.ts';
import type { Views } from './views.ts';

const ZERO_ADDRESS = `0x${'0'.repeat(40)}`;
const PPM = 1_000_000;
const DAY_MS = 86_400_000;

function nameOf({ mirror }: Views, { account, backstop, index }: VaultState): string {
  return backstop ? 'Backstop vault' : (mirror.vaultName(account) ?? `Vault ${index}`);
}

function descriptionOf({ mirror }: Views, { account, backstop }: VaultState): string {
  return backstop ? 'Takes over accounts that the book cannot liquidate.' : (mirror.vaultDescription(account) ?? '');
}

function leaderOf({ mirror }: Views, { leader }: VaultState): Address {
  return leader === NO_ACCOUNT ? ZERO_ADDRESS : (mirror.addressOf(leader) ?? ZERO_ADDRESS);
}

/** Rounded down, as a withdrawal would be. */
function equityOf(views: Views, vault: VaultState, shares: bigint): bigint {
  const value = views.accountValue(vault.account);
  return vault.shares === 0n || value <= 0n ? 0n : (value * shares) / vault.shares;
}

export function leadingVaults(views: Views, account: number | undefined): unknown[] {
  if (account === undefined) return [];
  const owned = [...views.mirror.owned.of(account).keys()].sort((a, b) => a - b);
  return owned.flatMap((number) => {
    const vault = views.mirror.vaults.get(number);
    return vault === undefined ? [] : [{ address: views.addressOf(number), name: nameOf(views, vault) }];
  });
}

export function totalVaultEquity(views: Views, account: number | undefined): bigint {
  return holdingsOf(views, account).reduce((sum, { vault, held }) => sum + equityOf(views, vault, held.shares), 0n);
}

function holdingsOf({ mirror }: Views, account: number | undefined): { readonly vault: VaultState; readonly held: FollowerState }[] {
  if (account === undefined) return [];
  const vaults = [...mirror.vaultsOfFollower.of(account).keys()].sort((a, b) => a - b);
  return vaults.flatMap((number) => {
    const vault = mirror.vaults.get(number);
    const held = mirror.followers.get(number, account);
    return vault === undefined || held === undefined ? [] : [{ vault, held }];
  });
}

export function userVaultEquities(views: Views, fields: RequestFields): unknown {
  return holdingsOf(views, views.mirror.numberOf(fields.address())).map(({ vault, held }) => ({
    vaultAddress: views.addressOf(vault.account),
    equity: quoteText(equityOf(views, vault, held.shares)),
    lockedUntilTimestamp: held.lockedUntilMs,
  }));
}

export function vaultSummaries(views: Views): unknown {
  return [...views.mirror.vaults.values()]
    .sort((a, b) => a.index - b.index)
    .map((vault) => ({
      name: nameOf(views, vault),
      vaultAddress: views.addressOf(vault.account),
      leader: leaderOf(views, vault),
      tvl: quoteText(views.accountValue(vault.account)),
      isClosed: false,
      relationship: { type: 'normal' },
      createTimeMillis: 0,
    }));
}

export function vaultDetails(views: Views, fields: RequestFields): unknown {
  const { mirror } = views;
  const address = fields.address('vaultAddress');
  const user = fields.optionalAddress('user');
  const number = mirror.numberOf(address);
  const vault = number === undefined ? undefined : mirror.vaults.get(number);
  if (vault === undefined) return null;
  const userNumber = user === undefined ? undefined : mirror.numberOf(user);
  const own = userNumber === undefined ? undefined : mirror.followers.get(vault.account, userNumber);
  const held = [...mirror.followers.of(vault.account)].sort(([a], [b]) => a - b);
  const followers = held.map(([follower, state]) => {
    const name = follower === vault.leader ? 'Leader' : views.addressOf(follower);
    return followerJson(views, vault, name, state);
  });
  const value = views.accountValue(vault.account);
  const { withdrawable } = summaryOf(views, vault.account);
  return {
    name: nameOf(views, vault),
    vaultAddress: address,
    leader: leaderOf(views, vault),
    description: descriptionOf(views, vault),
    portfolio: portfolioOf(views, vault.account),
    apr: 0,
    followerState: own === undefined || user === undefined ? null : followerJson(views, vault, user, own),
    leaderFraction: vault.shares === 0n ? 0 : ratio(vault.leaderShares, vault.shares),
    leaderCommission: vault.commissionPpm / PPM,
    followers,
    maxDistributable: 0,
    maxWithdrawable: ratio(withdrawable, BigInt(PPM)),
    isClosed: value <= 0n && vault.shares > 0n,
    relationship: { type: 'normal' },
    allowDeposits: vault.deposits,
    alwaysCloseOnWithdraw: false,
  };
}

function followerJson(
  views: Views,
  vault: VaultState,
  user: string,
  { shares, basis, lockedUntilMs }: FollowerState,
): Record<string, unknown> {
  const equity = equityOf(views, vault, shares);
  // The last deposit is what is known of when it began.
  const vaultEntryTime = Math.max(0, lockedUntilMs - vault.lockMs);
  return {
    user,
    vaultEquity: quoteText(equity),
    pnl: quoteText(equity - basis),
    allTimePnl: quoteText(equity - basis),
    daysFollowing: Math.max(0, Math.floor((views.timeMs - vaultEntryTime) / DAY_MS)),
    vaultEntryTime,
    lockupUntil: lockedUntilMs,
  };
}

/** Fields that the protocol has as JSON numbers: shown, never calculated with. */
function ratio(a: bigint, b: bigint): number {
  return Number((a * 1_000_000n) / b) / 1_000_000;
}
