/**
 * Every action by its type: what translates it, or why the venue refuses it.
 *
 * Invariant: every action that can be read (src/sdk/wire-actions.ts) has its entry; the compiler sees to it.
 * Not here: signatures and the envelope (exchange-handler.ts), and what the ledger then says.
 */
import type { Address } from '../ledger/transactions.ts';
import type { ActionOf, SingleAction } from '../sdk/wire-actions.ts';
import { batchModifyAction, cancelAction, cancelByClientIdAction, modifyAction, orderAction, reduceAction } from './order-actions.ts';
import {
  accountModeAction,
  approveAgentAction,
  approveBuilderFeeAction,
  convertToMultiSigUserAction,
  plainAction,
  referrerAction,
} from './permission-actions.ts';
import {
  scheduleCancelAction,
  topUpIsolatedOnlyMarginAction,
  twapCancelAction,
  twapOrderAction,
  updateIsolatedMarginAction,
  updateLeverageAction,
} from './position-actions.ts';
import { reportPricesAction, voteDelistAction } from './reporter-actions.ts';
import {
  sendAssetAction,
  spotSendAction,
  subAccountSpotTransferAction,
  subAccountTransferAction,
  usdClassTransferAction,
  usdSendAction,
  withdrawAction,
} from './transfer-actions.ts';
import { type ActionContext, type Refusal, refusal, type Translation } from './translation.ts';
import {
  createSubAccountAction,
  createVaultAction,
  setDisplayNameAction,
  subAccountModifyAction,
  vaultModifyAction,
  vaultTransferAction,
} from './vault-actions.ts';

/** Bought request weight is an affair of the node's limits (exchange-handler.ts). */
export type LedgerAction = Exclude<SingleAction, { readonly type: 'reserveRequestWeight' }>;
type Translate<A> = (action: A, context: ActionContext, sender: Address) => Translation | Refusal;

const refuse = (text: string) => (): Refusal => refusal(text);
const noStaking = refuse('Staking is not part of this venue.');
const noEvm = refuse('The EVM is not part of this venue.');

export const ACTIONS: { readonly [T in LedgerAction['type']]: Translate<ActionOf<T>> } = {
  order: orderAction,
  cancel: cancelAction,
  cancelByCloid: cancelByClientIdAction,
  modify: modifyAction,
  batchModify: batchModifyAction,
  reduce: reduceAction,
  reportPrices: reportPricesAction,
  voteDelist: voteDelistAction,
  scheduleCancel: scheduleCancelAction,
  updateLeverage: updateLeverageAction,
  updateIsolatedMargin: updateIsolatedMarginAction,
  topUpIsolatedOnlyMargin: topUpIsolatedOnlyMarginAction,
  twapOrder: twapOrderAction,
  twapCancel: twapCancelAction,
  usdSend: usdSendAction,
  spotSend: spotSendAction,
  usdClassTransfer: usdClassTransferAction,
  withdraw3: withdrawAction,
  sendAsset: sendAssetAction,
  agentSendAsset: sendAssetAction,
  createSubAccount: createSubAccountAction,
  subAccountModify: subAccountModifyAction,
  setDisplayName: setDisplayNameAction,
  subAccountTransfer: subAccountTransferAction,
  subAccountSpotTransfer: subAccountSpotTransferAction,
  createVault: createVaultAction,
  vaultTransfer: vaultTransferAction,
  vaultModify: vaultModifyAction,
  approveAgent: approveAgentAction,
  approveBuilderFee: approveBuilderFeeAction,
  convertToMultiSigUser: convertToMultiSigUserAction,
  setReferrer: referrerAction,
  registerReferrer: referrerAction,
  claimRewards: plainAction,
  noop: plainAction,
  agentSetAbstraction: accountModeAction,
  userSetAbstraction: accountModeAction,
  userDexAbstraction: accountModeAction,
  userPortfolioMargin: accountModeAction,
  agentEnableDexAbstraction: refuse('Unified accounts and portfolio margin are not part of this venue.'),
  vaultDistribute: refuse('Vaults pay out by withdrawals only.'),
  cDeposit: noStaking,
  cWithdraw: noStaking,
  tokenDelegate: noStaking,
  linkStakingUser: noStaking,
  stakingLinkDisableTradingUser: noStaking,
  borrowLend: refuse('Borrowing and lending are not part of this venue.'),
  spotUser: refuse('Spot trading is not part of this venue.'),
  evmUserModify: noEvm,
  sendToEvmWithData: noEvm,
};

/** `sender`: who has signed it. */
export function translateAction(action: LedgerAction, context: ActionContext, sender: Address): Translation | Refusal {
  const translate = ACTIONS[action.type] as Translate<LedgerAction>;
  return translate(action, context, sender);
}
