/**
 * Actions about vaults and sub-accounts.
 * Their names and descriptions are taken and not kept: the ledger has no place for them (docs/api-actions.md).
 */
import type { ActionOf } from '../sdk/wire-actions.ts';
import { createdAnswer, defaultAnswer } from './exchange-responses.ts';
import { type ActionContext, type Refusal, refusal, type Translation } from './translation.ts';

export function createSubAccountAction(_: ActionOf<'createSubAccount'>): Translation {
  return { body: { kind: 'createSubAccount' }, answer: createdAnswer('createSubAccount') };
}

export function createVaultAction({ initialUsd }: ActionOf<'createVault'>, { exchange }: ActionContext): Translation {
  return {
    body: { kind: 'createVault', amount: BigInt(initialUsd) },
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
