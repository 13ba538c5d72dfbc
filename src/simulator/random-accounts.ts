/**
 * Random transactions that are not orders: money in and out, leverage and isolated margin, scheduled cancels, who may act for whom,
 * sub-accounts, builders, referrals, rewards, vaults, votes to delist. Amounts are around what the twin's account has.
 */
import { SIGNERS_MAX } from '../exchange/layout.ts';
import { TOKEN_QUOTE } from '../ledger/layout.ts';
import type {
  Address,
  ApproveAgentTransaction,
  ApproveBuilderTransaction,
  CreateSubAccountTransaction,
  CreateVaultTransaction,
  DelistTransaction,
  IsolatedMarginTransaction,
  LeverageTransaction,
  MoneyTransaction,
  MultiSigTransaction,
  PlainTransaction,
  ReferrerTransaction,
  ScheduleCancelTransaction,
  SendPerpTransaction,
  SetDisplayNameTransaction,
  SubAccountModifyTransaction,
  SubTransferTransaction,
  TransferTransaction,
  VaultModifyTransaction,
  VaultTransferTransaction,
} from '../ledger/transactions.ts';
import { randomAddress } from './random-genesis.ts';
import { envelope, nonce, user } from './random-signers.ts';
import type { RandomWorld } from './random-world.ts';

const DAY_MS = 86_400_000;
const AGENT_DAYS_MAX = 180;

// --- Money ------------------------------------------------------------------------------------------------------------------------

/** Around what there is. */
function amountOf(world: RandomWorld, has: bigint): bigint {
  const { random } = world;
  const amount = {
    part: () => 1n + random.belowBig(has + 1n),
    twentieth: () => has / 20n + 1n,
    little: () => BigInt(random.between(1, 5)),
    all: () => has,
    more: () => has + 1n,
    none: () => 0n,
    vast: () => random.pick([2n ** 59n, 2n ** 59n + 1n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n]),
  }[random.weighted({ part: 28, twentieth: 28, little: 12, all: 22, more: 6, none: 2, vast: 2 })]();
  return amount < 0n ? 0n : amount;
}

export function randomTransfer(world: RandomWorld): TransferTransaction {
  const { random, genesis } = world;
  const { signed, actor } = envelope(world, 'own');
  const token = random.chance(0.03) ? random.pick([genesis.tokens.length, 2 ** 32 - 1]) : random.below(genesis.tokens.length);
  return { kind: 'transfer', ...signed, recipient: recipientOf(world, actor), token, amount: amountOf(world, world.balance(actor, token)) };
}

function recipientOf(world: RandomWorld, actor: Address): Address {
  const { random } = world;
  return {
    known: () => random.pick(world.known),
    self: () => actor,
    fresh: () => random.pick(world.fresh),
    stranger: () => randomAddress(random),
    created: () => random.pick([...world.subAccounts, ...world.vaults, ...world.agents].map(({ address }) => address).concat(actor)),
  }[random.weighted({ known: 68, self: 8, fresh: 14, stranger: 3, created: 7 })]();
}

export function randomMoney(world: RandomWorld): MoneyTransaction {
  const { random } = world;
  const kind = random.weighted({ deposit: 45, toSpot: 30, withdraw: 25 });
  const { signed, actor } = envelope(world, kind === 'withdraw' ? 'own' : 'lent');
  const has = kind === 'deposit' ? world.balance(actor, TOKEN_QUOTE) : world.transferable(actor);
  return { kind, ...signed, amount: amountOf(world, has) };
}

export function randomSend(world: RandomWorld): SendPerpTransaction {
  const { signed, actor } = envelope(world, 'own');
  return { kind: 'sendPerp', ...signed, recipient: recipientOf(world, actor), amount: amountOf(world, world.transferable(actor)) };
}

// --- Leverage, isolated margin, scheduled cancels ---------------------------------------------------------------------------------

export function randomLeverage(world: RandomWorld): LeverageTransaction {
  const { random } = world;
  const { signed, actor } = envelope(world, 'lent');
  const held = world.heldMarkets(actor);
  const market = held.length > 0 && random.chance(0.6) ? random.pick(held) : world.market(0.03);
  const { tiers, mode } = world.markets[market] ?? world.parameters(0);
  const most = tiers[0]?.maxLeverage ?? 1;
  const leverage = { most, some: random.between(1, most), one: 1, odd: random.pick([0, most + 1, 2 ** 32 - 1]) };
  return {
    kind: 'updateLeverage',
    ...signed,
    market,
    leverage: leverage[random.weighted({ most: 35, some: 45, one: 12, odd: 5 })],
    isolated: random.chance(mode === 'normal' ? 0.45 : 0.9),
  };
}

export function randomIsolatedMargin(world: RandomWorld): IsolatedMarginTransaction {
  const { random } = world;
  const { state } = world.ledger;
  // Accounts that have an isolated position, mostly.
  let found = envelope(world, 'lent');
  for (let i = 0; i < 6 && isolatedMarkets(world, found.actor).length === 0; i++) found = envelope(world, 'lent');
  const { signed, actor } = found;
  const isolated = isolatedMarkets(world, actor);
  const market = isolated.length > 0 && random.chance(0.95) ? random.pick(isolated) : world.market(0.05);
  const base = { kind: 'isolatedMargin', ...signed, market } as const;
  if (random.chance(0.3)) return { ...base, leverage: random.chance(0.9) ? random.between(1, 20) : random.pick([0, 256, 2 ** 32 - 1]) };
  const account = world.account(actor);
  const equity = account === undefined || market >= world.markets.length ? 0n : state.isolatedEquity(account, market);
  const taken = { little: 1n, part: equity / 4n, half: equity / 2n, all: equity }[
    random.weighted({ little: 20, part: 40, half: 25, all: 15 })
  ];
  if (random.chance(0.45)) return { ...base, amount: -taken };
  return { ...base, amount: amountOf(world, world.transferable(actor)) % 2n ** 63n };
}

function isolatedMarkets(world: RandomWorld, address: Address): number[] {
  const account = world.account(address);
  return account === undefined ? [] : world.ledger.state.isolatedMarkets(account);
}

export function randomSchedule(world: RandomWorld): ScheduleCancelTransaction {
  const { random, timeMs } = world;
  const { signed } = envelope(world, 'lent');
  if (random.chance(0.12)) return { kind: 'scheduleCancel', ...signed };
  const after = { soon: 5000, tooSoon: random.pick([4999, 0]), later: random.between(5001, 20_000), days: 2 * DAY_MS };
  return { kind: 'scheduleCancel', ...signed, timeMs: timeMs + after[random.weighted({ soon: 50, tooSoon: 8, later: 38, days: 4 })] };
}

// --- Who may act for whom ---------------------------------------------------------------------------------------------------------

export function randomAgent(world: RandomWorld): ApproveAgentTransaction {
  const { random, timeMs } = world;
  // Some have many agents.
  const few = random.pick(world.known.slice(5, 8));
  const { signed, actor } = random.chance(0.6)
    ? envelope(world, 'own')
    : { signed: { sender: few, ...nonce(world, few, 0.1) }, actor: few };
  const own = world.agents.filter(({ owner }) => owner === actor).map(({ address }) => address);
  const agent = {
    fresh: () => random.pick(world.fresh),
    stranger: () => randomAddress(random),
    own: () => (own.length > 0 ? random.pick(own) : random.pick(world.fresh)),
    others: () => (world.agents.length > 0 ? random.pick(world.agents).address : actor),
    known: () => random.pick(world.known),
    self: () => actor,
  }[random.weighted({ fresh: 40, stranger: 30, own: 16, others: 6, known: 5, self: 3 })]();
  const expires = {
    soon: random.between(1, 20_000),
    later: random.between(1, 20) * DAY_MS,
    last: AGENT_DAYS_MAX * DAY_MS,
    tooLate: AGENT_DAYS_MAX * DAY_MS + 1,
    past: 0,
  };
  return {
    kind: 'approveAgent',
    ...signed,
    agent,
    ...(random.chance(0.7) ? { name: random.pick(['', 'a', 'b', 'c', 'bot', 'sixteen bytes ok', 'é']) } : {}),
    ...(random.chance(0.4) ? { expiresMs: timeMs + expires[random.weighted({ soon: 40, later: 40, last: 8, tooLate: 6, past: 6 })] } : {}),
  };
}

/** Few accounts become multi-signature users: the others go on alone. */
export function randomMultiSig(world: RandomWorld): MultiSigTransaction {
  const { random, known } = world;
  const candidates = known.slice(2, 5);
  if (world.signerSets.length > 0 && random.chance(0.25)) return undoing(world);
  const sender = random.pick(candidates);
  const signed = random.chance(0.6) ? { sender, ...nonce(world, sender, 0.1) } : envelope(world, 'own').signed;
  const target = signed.multiSig?.user ?? signed.sender;
  const others = known.filter((address) => address !== target && !candidates.includes(address));
  const from = random.below(others.length - 3);
  const authorised = others.slice(from, from + random.between(1, 3));
  if (random.chance(0.1)) authorised.push(random.pick(world.fresh));
  if (random.chance(0.05)) authorised.push(target);
  const threshold = random.chance(0.92) ? random.between(1, authorised.length) : random.pick([0, authorised.length + 1, 2 ** 32 - 1]);
  const signers = random.chance(0.97) ? { authorised, threshold } : { authorised: [], threshold: random.pick([0, 1]) };
  return { kind: 'multiSig', ...signed, signers };
}

/** An ordinary user again: as all its signers say, or as the user itself, which may not any more. */
function undoing(world: RandomWorld): MultiSigTransaction {
  const { random } = world;
  const { address, authorised } = random.pick(world.signerSets);
  if (random.chance(0.2)) return { kind: 'multiSig', sender: address, ...nonce(world, address, 0.5) };
  const sender = authorised[0] ?? address;
  return {
    kind: 'multiSig',
    sender,
    ...nonce(world, sender, 0.05),
    multiSig: { user: address, signers: authorised.slice(0, SIGNERS_MAX) },
  };
}

/** Names that a ledger takes, up to 24 bytes, and such as it does not. */
const NAMES = ['a', 'hedge', 'carry 2', 'twenty-four bytes a name', 'é'.repeat(12), '名前', 'a\u00a0b'];
const BAD_NAMES = [' hedge', 'hedge ', ' ', 'tab\there', 'line\n', '\x7f', 'é\x80', '\x9f'];
const LONG_TEXTS = ['seventy-two bytes: '.repeat(4).slice(0, 72), 'é'.repeat(36), 'x'.repeat(25), 'x'.repeat(48)];
const DESCRIPTIONS = ['d', 'two\nlines ', 'x'.repeat(384), 'é'.repeat(100), '名'.repeat(128), 'y'.repeat(24), 'z'.repeat(49)];

function randomName(world: RandomWorld): string {
  const { random } = world;
  return random.pick(random.chance(0.9) ? NAMES : BAD_NAMES);
}

export function randomSubAccount(world: RandomWorld): CreateSubAccountTransaction {
  const { random } = world;
  const name = random.chance(0.8) ? { name: randomName(world) } : {};
  return { kind: 'createSubAccount', ...envelope(world, 'plain').signed, ...name };
}

/** Also of sub-accounts of others, and of accounts that are none. */
export function randomSubAccountModify(world: RandomWorld): SubAccountModifyTransaction {
  const { random } = world;
  const name = randomName(world);
  if (world.subAccounts.length === 0 || random.chance(0.2)) {
    const subAccount = random.pick([...world.known, ...world.fresh, ...world.subAccounts.map(({ address }) => address)]);
    return { kind: 'subAccountModify', ...envelope(world, 'plain').signed, subAccount, name };
  }
  const { address, owner } = random.pick(world.subAccounts);
  return { kind: 'subAccountModify', sender: owner, ...nonce(world, owner, 0.1), subAccount: address, name };
}

export function randomDisplayName(world: RandomWorld): SetDisplayNameTransaction {
  const { random } = world;
  // Of sub-accounts and vaults too, where nothing is checked of who sends.
  const owned = [...world.subAccounts, ...world.vaults];
  const { signed } = envelope(world, 'plain');
  const whose = owned.length > 0 && random.chance(0.05) ? { sender: random.pick(owned).address } : signed;
  return { kind: 'setDisplayName', ...whose, name: random.chance(0.25) ? '' : randomName(world) };
}

export function randomSubTransfer(world: RandomWorld): SubTransferTransaction {
  const { random } = world;
  const deposit = random.chance(0.65);
  if (world.subAccounts.length === 0 || random.chance(0.12)) {
    const { signed, actor } = envelope(world, 'plain');
    const subAccount = random.pick([...world.known, ...world.fresh, ...world.subAccounts.map(({ address }) => address)]);
    return { kind: 'subTransfer', ...signed, subAccount, deposit, amount: amountOf(world, world.transferable(actor)) };
  }
  const { address, owner } = random.pick(world.subAccounts);
  const amount = amountOf(world, world.transferable(deposit ? owner : address));
  return { kind: 'subTransfer', sender: owner, ...nonce(world, owner, 0.1), subAccount: address, deposit, amount };
}

export function randomBuilderApproval(world: RandomWorld): ApproveBuilderTransaction {
  const { random } = world;
  const { signed, actor } = envelope(world, 'own');
  const builder = random.chance(0.93) ? random.pick(world.known) : random.pick(world.fresh);
  const most = world.options.builderFeeMax;
  const fees = { some: random.between(1, most), most, none: 0, odd: random.pick([most + 1, 2 ** 32 - 1]) };
  const maxFee = fees[random.weighted({ some: 60, most: 22, none: 12, odd: 6 })];
  if (maxFee > 0 && maxFee <= most) world.approvals.push({ user: actor, builder, maxFee });
  return { kind: 'approveBuilder', ...signed, builder, maxFee };
}

export function randomReferrer(world: RandomWorld): ReferrerTransaction {
  const { random } = world;
  const { signed } = envelope(world, 'plain');
  const taken = [...world.ledger.state.referralCodes.keys()];
  const kind = random.weighted({ registerReferrer: 30, setReferrer: taken.length === 0 ? 5 : 70 });
  const any = taken.length === 0 || random.chance(kind === 'setReferrer' ? 0.1 : 0.8);
  return { kind, ...signed, code: random.pick(any ? world.codes : taken) };
}

export function randomPlain(world: RandomWorld): PlainTransaction {
  const { random } = world;
  const kind = random.weighted({ claimRewards: 60, noop: 40 });
  const { state } = world.ledger;
  const earners = [...state.rewards].filter(([, { builder, referral }]) => builder + referral > 0n).map(([account]) => account);
  if (kind === 'noop' || earners.length === 0 || random.chance(0.25)) return { kind, ...envelope(world, 'plain').signed };
  const sender = state.accounts.get(random.pick(earners)).address;
  return { kind, sender, ...nonce(world, sender, 0.1) };
}

// --- Vaults -----------------------------------------------------------------------------------------------------------------------

export function randomVault(world: RandomWorld): CreateVaultTransaction {
  const { random } = world;
  const { vaultMinimum } = world.options;
  const { signed, actor } = envelope(world, 'plain');
  const amount = { least: vaultMinimum, part: world.transferable(actor) / 4n, below: vaultMinimum - 1n, any: 0n };
  const shape = random.weighted({ least: 40, part: 42, below: 6, any: 12 });
  const texts = {
    ...(random.chance(0.75) ? { name: random.chance(0.3) ? random.pick(LONG_TEXTS) : randomName(world) } : {}),
    ...(random.chance(0.6) ? { description: random.pick(DESCRIPTIONS) } : {}),
  };
  const given = shape === 'any' ? amountOf(world, world.transferable(actor)) : amount[shape];
  return { kind: 'createVault', ...signed, amount: given, ...texts };
}

export function randomVaultTransfer(world: RandomWorld): VaultTransferTransaction {
  const { random } = world;
  const { state } = world.ledger;
  const led = world.vaults.map(({ address }) => address);
  const vaults = [...led, ...(world.genesis.backstop === undefined ? [] : [world.genesis.backstop])];
  if (vaults.length === 0 || random.chance(0.04)) {
    const { signed, actor } = envelope(world, 'plain');
    const vault = random.pick([...world.known, ...world.fresh]);
    return { kind: 'vaultTransfer', ...signed, vault, deposit: random.chance(0.5), amount: amountOf(world, world.transferable(actor)) };
  }
  const vault = random.pick(led.length > 0 && random.chance(0.8) ? led : vaults);
  const record = state.vaults.find(({ account }) => account === world.account(vault));
  const followers = [...(record?.followers.keys() ?? [])];
  const deposit = followers.length === 0 || random.chance(0.45);
  if (deposit || record === undefined) {
    const sender = random.chance(0.15) ? (world.vaults.find(({ address }) => address === vault)?.owner ?? user(world)) : user(world);
    const amount = random.chance(0.12) ? 1n : amountOf(world, world.transferable(sender) / BigInt(random.pick([1, 4, 20])));
    return { kind: 'vaultTransfer', sender, ...nonce(world, sender, 0.1), vault, deposit: true, amount };
  }
  const follower = random.pick(followers);
  const sender = state.accounts.get(follower).address;
  const shares = record.followers.get(follower)?.shares ?? 0n;
  const value = state.valueForOthers(record.account);
  const held = record.shares > 0n && value > 0n ? (shares * value) / record.shares : 0n;
  return { kind: 'vaultTransfer', sender, ...nonce(world, sender, 0.1), vault, deposit: false, amount: amountOf(world, held) };
}

export function randomVaultModify(world: RandomWorld): VaultModifyTransaction {
  const { random } = world;
  const allowDeposits = random.chance(0.6);
  if (world.vaults.length === 0 || random.chance(0.2)) {
    const vault = random.pick([...world.known, ...world.fresh, ...world.vaults.map(({ address }) => address)]);
    return { kind: 'vaultModify', ...envelope(world, 'plain').signed, vault, allowDeposits };
  }
  const { address, owner } = random.pick(world.vaults);
  return { kind: 'vaultModify', sender: owner, ...nonce(world, owner, 0.1), vault: address, allowDeposits };
}

// --- Delisting --------------------------------------------------------------------------------------------------------------------

export function randomDelist(world: RandomWorld): DelistTransaction {
  const { random, reporters } = world;
  const right = reporters.length > 0 && random.chance(0.9);
  const sender = right ? random.pick(reporters) : random.pick(world.known);
  // Never all markets: the last one goes on.
  const most = world.markets.length - 1;
  const market = random.chance(0.9) ? 1 + random.below(most) : random.pick([world.markets.length, 2 ** 32 - 1]);
  return { kind: 'delist', sender, ...nonce(world, sender, 0.3), market };
}

/**
 * Every reporter votes for one market. Its settlement price is a mean of the last hour: soon after a shock accounts come out of it negative
 * that have no positions any more.
 */
export function delistings(world: RandomWorld, market: number): DelistTransaction[] {
  return world.reporters.map((sender) => ({ kind: 'delist', sender, market }));
}
