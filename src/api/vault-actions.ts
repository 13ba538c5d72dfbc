/**
 * Actions about vaults and sub-accounts, and the names of accounts. What a name may be is the ledger's affair (docs/rules.md, 7); one that no
 * transaction can carry is refused here in the same words. Clients count characters: who has more bytes than there may be is told so.
 */
import { CODE_INVALID_NAME } from '../base/codes.ts';
import { TEXT_PART_BYTES, VAULT_DESCRIPTION_PARTS, VAULT_NAME_PARTS } from '../exchange/layout.ts';
import { messageOfCode } from '../exchange/messages.ts';
import { NAME_BYTES } from '../ledger/layout.ts';
import type { ActionOf } from '../sdk/wire-actions.ts';
import { createdAnswer, defaultAnswer } from './exchange-responses.ts';
import { type ActionContext, isLedgerText, type Refusal, refusal, type Translation } from './translation.ts';

const VAULT_NAME_BYTES = VAULT_NAME_PARTS * TEXT_PART_BYTES;
const DESCRIPTION_BYTES = VAULT_DESCRIPTION_PARTS * TEXT_PART_BYTES;
const BAD_NAME = refusal(messageOfCode(CODE_INVALID_NAME));
const BAD_DESCRIPTION = refusal('Invalid description.');

export function createSubAccountAction({ name }: ActionOf<'createSubAccount'>): Translation | Refusal {
  const wrong = wrongName(name, NAME_BYTES);
  if (wrong !== undefined) return wrong;
  return { body: { kind: 'createSubAccount', name }, answer: createdAnswer('createSubAccount') };
}

export function subAccountModifyAction({ subAccountUser, name }: ActionOf<'subAccountModify'>): Translation | Refusal {
  const wrong = wrongName(name, NAME_BYTES);
  if (wrong !== undefined) return wrong;
  return { body: { kind: 'subAccountModify', subAccount: subAccountUser, name }, answer: defaultAnswer({ kind: 'subAccountModify' }) };
}

/** An empty name takes it away. */
export function setDisplayNameAction({ displayName }: ActionOf<'setDisplayName'>): Translation | Refusal {
  const wrong = wrongText(displayName, NAME_BYTES, BAD_NAME);
  if (wrong !== undefined) return wrong;
  return { body: { kind: 'setDisplayName', name: displayName }, answer: defaultAnswer({ kind: 'setDisplayName' }) };
}

export function createVaultAction(action: ActionOf<'createVault'>, { exchange }: ActionContext): Translation | Refusal {
  const { name, description, initialUsd } = action;
  const wrong = wrongName(name, VAULT_NAME_BYTES);
  const refused = wrong ?? wrongText(description, DESCRIPTION_BYTES, BAD_DESCRIPTION);
  if (refused !== undefined) return refused;
  return {
    body: { kind: 'createVault', amount: BigInt(initialUsd), name, ...(description === '' ? {} : { description }) },
    answer: createdAnswer('createVault', { minimum: exchange.vaultMinimum }),
  };
}

export function vaultTransferAction({ vaultAddress, isDeposit, usd }: ActionOf<'vaultTransfer'>): Translation {
  return {
    body: { kind: 'vaultTransfer', vault: vaultAddress, deposit: isDeposit, amount: BigInt(usd) },
    answer: defaultAnswer({ kind: 'vaultTransfer', user: vaultAddress }),
  };
}

export function vaultModifyAction(action: ActionOf<'vaultModify'>): Translation | Refusal {
  const { vaultAddress: vault, allowDeposits, alwaysCloseOnWithdraw } = action;
  // A withdrawal closes what it has to, and no more than that.
  if (alwaysCloseOnWithdraw === true) return refusal('Vaults close positions as far as a withdrawal needs it.');
  if (allowDeposits === undefined || allowDeposits === null) return refusal('Nothing to modify.');
  return { body: { kind: 'vaultModify', vault, allowDeposits }, answer: defaultAnswer({ kind: 'vaultModify', user: vault }) };
}

/** Of what must have a name. */
function wrongName(name: string, bytesMax: number): Refusal | undefined {
  return name === '' ? BAD_NAME : wrongText(name, bytesMax, BAD_NAME);
}

/** Undefined: transactions may carry it. */
function wrongText(text: string, bytesMax: number, { refused }: Refusal): Refusal | undefined {
  if (isLedgerText(text, bytesMax)) return undefined;
  const bytes = Buffer.byteLength(text);
  return refusal(bytes > bytesMax ? `${refused} It has ${bytes} bytes of UTF-8, and may have ${bytesMax}.` : refused);
}
