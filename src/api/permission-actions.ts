/** Actions about who may act and who earns: agents, multi-signature users, builders, referrers, and those without an object. */
import { parseDecimal } from '../sdk/decimal.ts';
import type { ActionOf } from '../sdk/wire-actions.ts';
import { defaultAnswer } from './exchange-responses.ts';
import { isLedgerText, type Refusal, refusal, type TransactionBody, type Translation } from './translation.ts';

const AGENT_NAME_BYTES_MAX = 16;
const CODE_BYTES_MAX = 20;
const SIGNERS_MAX = 10;
const U32_MAX = 2 ** 32 - 1;
/** Fees of builders are in 10^-5 of the notional: a percent has three decimals of them. */
const PERCENT_DECIMALS = 3;

/** The expiry is in the name: `bot valid_until 1893456000000`. */
export function approveAgentAction({ agentAddress, agentName }: ActionOf<'approveAgent'>): Translation | Refusal {
  const full = agentName ?? '';
  const match = /^(?:(.*) )?valid_until (\d{1,15})$/.exec(full);
  const name = match === null ? full : (match[1] ?? '');
  if (!isLedgerText(name, AGENT_NAME_BYTES_MAX)) return refusal('Invalid agent name.');
  return plain({
    kind: 'approveAgent',
    agent: agentAddress,
    ...(name === '' ? {} : { name }),
    ...(match === null ? {} : { expiresMs: Number(match[2]) }),
  });
}

export function approveBuilderFeeAction({ maxFeeRate, builder }: ActionOf<'approveBuilderFee'>): Translation | Refusal {
  const percent = /^(.*)%$/.exec(maxFeeRate)?.[1];
  const maxFee = percent === undefined ? undefined : parseDecimal(percent, PERCENT_DECIMALS);
  if (maxFee === undefined || maxFee < 0n || maxFee > BigInt(U32_MAX)) return refusal('Invalid builder fee rate.');
  return plain({ kind: 'approveBuilder', builder, maxFee: Number(maxFee) });
}

/** `signers` is JSON in a text; "null" makes an ordinary user again. */
export function convertToMultiSigUserAction({ signers }: ActionOf<'convertToMultiSigUser'>): Translation | Refusal {
  const wanted = signersOf(signers);
  if (wanted === null) return plain({ kind: 'multiSig' });
  if (wanted === undefined) return refusal('Invalid multi-sig signers.');
  if (wanted.authorised.length > SIGNERS_MAX) return refusal('Too many multi-sig signers');
  if (new Set(wanted.authorised).size < wanted.authorised.length) return refusal('Invalid multi-sig signers: one is named twice.');
  return plain({ kind: 'multiSig', signers: wanted });
}

function signersOf(text: string): { authorised: string[]; threshold: number } | null | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (value === null) return null;
  const { authorizedUsers, threshold } = Object(value) as { authorizedUsers?: unknown; threshold?: unknown };
  if (!Array.isArray(authorizedUsers) || typeof threshold !== 'number' || !Number.isInteger(threshold)) return undefined;
  if (threshold < 0 || threshold > U32_MAX) return undefined;
  const isAddress = (user: unknown): user is string => typeof user === 'string' && /^0x[0-9a-fA-F]{40}$/.test(user);
  return authorizedUsers.every(isAddress) ? { authorised: authorizedUsers.map((user) => user.toLowerCase()), threshold } : undefined;
}

export function referrerAction({ type, code }: ActionOf<'setReferrer' | 'registerReferrer'>): Translation | Refusal {
  if (code === '' || !isLedgerText(code, CODE_BYTES_MAX)) return refusal('Invalid referral code.');
  return plain({ kind: type, code });
}

export function plainAction({ type }: ActionOf<'noop' | 'claimRewards'>): Translation {
  return plain({ kind: type });
}

/** Accounts have one mode. Who asks for it gets it, with a transaction that only uses up the nonce. */
export function accountModeAction(
  action: ActionOf<'agentSetAbstraction' | 'userSetAbstraction' | 'userDexAbstraction' | 'userPortfolioMargin'>,
): Translation | Refusal {
  const isStandard = 'enabled' in action ? !action.enabled : action.abstraction === 'i' || action.abstraction === 'disabled';
  return isStandard ? plain({ kind: 'noop' }) : refusal('Unified accounts and portfolio margin are not part of this venue.');
}

function plain(body: TransactionBody): Translation {
  return { body, answer: defaultAnswer({ kind: body.kind }) };
}
