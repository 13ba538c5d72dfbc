/**
 * Who sends a random transaction, for whom, and with which nonce: users, agents, owners of sub-accounts and vaults, signers of
 * multi-signature users; now and then somebody who may not.
 */
import { NONCE_FUTURE_MS, NONCE_PAST_MS } from '../ledger/layout.ts';
import type { Address, Transaction } from '../ledger/transactions.ts';
import type { RandomWorld, SignerSet } from './random-world.ts';

type Signed = Pick<Transaction, 'sender' | 'nonce' | 'behalf' | 'multiSig'>;

export interface Envelope {
  readonly signed: Signed;
  /** The account that it is for, if it may. */
  readonly actor: Address;
}

/** `lent`: kinds that can be sent for sub-accounts and vaults; `own`: kinds that agents may not send. */
export type Reach = 'lent' | 'plain' | 'own';

export function envelope(world: RandomWorld, reach: Reach): Envelope {
  const { random, focus } = world;
  const often = focus === 'people' ? 3 : focus === 'vaults' ? 4 : 1;
  const can = { lent: 1, plain: 0.15, own: 0.1 }[reach];
  const agents = world.agents.length === 0 ? 0 : 8 * often * (reach === 'own' ? 0.2 : 1);
  const owned = world.subAccounts.length + world.vaults.length === 0 ? 0 : 10 * often * can;
  const sets = world.signerSets.length === 0 ? 0 : 4 * often;
  switch (random.weighted({ user: 84, agents, owned, sets, stranger: focus === 'ledger' ? 5 : 1.5 })) {
    case 'user':
      return fromUser(world);
    case 'agents': {
      const { address, owner } = random.pick(world.agents);
      const ofOwner = [...world.subAccounts, ...world.vaults].filter((other) => other.owner === owner);
      if (ofOwner.length === 0 || random.chance(0.7)) return { signed: { sender: address, ...nonce(world, address, 0.03) }, actor: owner };
      const actor = random.pick(ofOwner).address;
      return { signed: { sender: address, ...nonce(world, address, 0.03), behalf: actor }, actor };
    }
    case 'owned':
      return forOwned(world);
    case 'sets':
      return fromSigners(world, random.pick(world.signerSets));
    case 'stranger': {
      const sender = random.pick([...world.fresh, ...world.known.slice(0, 2)]);
      return { signed: { sender, ...nonce(world, sender, 0.3) }, actor: sender };
    }
  }
}

/** A user that acts for itself. */
function fromUser(world: RandomWorld): Envelope {
  const sender = user(world);
  return { signed: { sender, ...nonce(world, sender, 0.1) }, actor: sender };
}

/** An account of genesis that is not a vault; seldom one without collateral, or a multi-signature user, who may not send anything alone. */
export function user(world: RandomWorld): Address {
  const { random, known } = world;
  if (world.focus === 'nonces' && random.chance(0.8)) return known[0] as Address;
  if (world.focus === 'crowded' && random.chance(0.8)) return known[random.pick([4, 4, 6])] as Address;
  for (;;) {
    const address = random.pick(known);
    if (address === world.genesis.backstop) continue;
    const can = (world.hasCollateral(address) || random.chance(0.3)) && (!world.isMultiSig(address) || random.chance(0.05));
    if (can) return address;
  }
}

function forOwned(world: RandomWorld): Envelope {
  const { random } = world;
  const all = [...world.subAccounts, ...world.vaults];
  const funded = all.filter((other) => world.hasCollateral(other.address));
  const ready = funded.length > 0 && random.chance(0.85) ? funded : all;
  const { address, owner } = random.pick(world.focus === 'vaults' && world.vaults.length > 0 && random.chance(0.8) ? world.vaults : ready);
  const agents = world.agents.filter((agent) => agent.owner === owner);
  const behalfOfMultiSig = world.signerSets.find((set) => set.address === owner);
  if (behalfOfMultiSig !== undefined) return fromSigners(world, behalfOfMultiSig);
  const right = agents.length > 0 && random.chance(0.2) ? random.pick(agents).address : owner;
  const sender = random.chance(0.95) ? right : random.pick(world.known);
  const behalf = random.chance(0.96) ? address : random.pick([...world.known, ...world.fresh]);
  return { signed: { sender, ...nonce(world, sender, 0.1), behalf }, actor: behalf };
}

function fromSigners(world: RandomWorld, { address: target, authorised, threshold }: SignerSet): Envelope {
  const { random } = world;
  const shape = random.weighted({ right: 80, few: 6, wrong: 6, leader: 4, target: 4 });
  const shuffled = [...authorised].sort((a, b) => order(world, a) - order(world, b));
  const count = shape === 'few' ? Math.max(1, threshold - 1) : random.between(threshold, Math.max(threshold, shuffled.length));
  const signers = shuffled.slice(0, Math.max(1, count));
  if (shape === 'wrong') signers.push(random.pick([...world.known, ...world.fresh].filter((address) => !signers.includes(address))));
  const sender = shape === 'leader' ? random.pick(world.known) : (signers[0] ?? random.pick(world.known));
  const wrongTarget = random.pick([...world.known, ...world.fresh]);
  const acts = shape === 'target' ? wrongTarget : target;
  const signed = { sender, ...nonce(world, sender, 0.05), multiSig: { user: acts, signers: signers.slice(0, 10) } };
  const ofTarget = [...world.subAccounts, ...world.vaults].filter(({ owner }) => owner === acts);
  if (ofTarget.length === 0 || random.chance(0.8)) return { signed, actor: acts };
  const behalf = random.pick(ofTarget).address;
  return { signed: { ...signed, behalf }, actor: behalf };
}

/** A place in an order that changes from block to block. */
function order(world: RandomWorld, address: Address): number {
  return Number.parseInt(address.slice(2 + (world.number % 16), 10 + (world.number % 16)), 16);
}

/** The nonce field of a transaction, with probability `absent` none. */
export function nonce(world: RandomWorld, sender: Address, absent: number): { nonce?: bigint } {
  const { random } = world;
  if (random.chance(absent)) return {};
  const sent = world.sentNonces.get(sender) ?? [];
  world.sentNonces.set(sender, sent);
  const time = BigInt(world.timeMs);
  const odd = world.focus === 'nonces' || world.focus === 'ledger' ? 1 : 0.3;
  const value = {
    next: () => larger((sent.at(-1) ?? 0n) + 1n + BigInt(random.below(3)), time - BigInt(random.below(300))),
    late: () => time - BigInt(random.below(400)),
    veryLate: () => time - BigInt(random.below(NONCE_PAST_MS)),
    again: () => (sent.length === 0 ? time : random.pick(sent)),
    low: () => time - BigInt(NONCE_PAST_MS) + BigInt(random.between(-2, 2)),
    high: () => time + BigInt(NONCE_FUTURE_MS) + BigInt(random.between(-2, 2)),
    zero: () => 0n,
  }[random.weighted({ next: 82, late: 12 * odd, veryLate: 2 * odd, again: 4 * odd, low: 2 * odd, high: 1.5 * odd, zero: 0.3 * odd })]();
  const inRange = larger(value, 0n);
  // What was too high must not drag the increasing nonces with it.
  if (inRange <= time + 60_000n) sent.push(inRange);
  return { nonce: inRange };
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
