/**
 * Actions about vaults and sub-accounts, and the names of accounts. What a name may be is the ledger's affair (docs/rules.md, 7); one that no
 * transaction can carry is refused here in the same words.
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

export function createSubAccountAction({ name }: ActionOf<'createSubAccount'>): Translation | Refusal {
  if (name === '' || !isLedgerText(name, NAME_BYTES)) return BAD_NAME;
  return { body: { kind: 'createSubAccount', name }, answer: createdAnswer('createSubAccount') };
}

export function subAccountModifyAction({ subAccountUser, name }: ActionOf<'subAccountModify'>): Translation | Refusal {
  if (name === '' || !isLedgerText(name, NAME_BYTES)) return BAD_NAME;
  return { body: { kind: 'subAccountModify', subAccount: subAccountUser, name }, answer: defaultAnswer({ kind: 'subAccountModify' }) };
}

/** An empty name takes it away. */
export function setDisplayNameAction({ displayName }: ActionOf<'setDisplayName'>): Translation | Refusal {
  if (!isLedgerText(displayName, NAME_BYTES)) return BAD_NAME;
  return { body: { kind: 'setDisplayName', name: displayName }, answer: defaultAnswer({ kind: 'setDisplayName' }) };
}

export function createVaultAction(action: ActionOf<'createVault'>, { exchange }: ActionContext): Translation | Refusal {
  const { name, description, initialUsd } = action;
  if (name === '' || !isLedgerText(name, VAULT_NAME_BYTES)) return BAD_NAME;
  if (!isLedgerText(description, DESCRIPTION_BYTES)) return refusal('Invalid description.');
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
