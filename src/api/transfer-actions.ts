/**
 * Actions that move money: between collateral and the ledger balance, to others, out of the exchange, to sub-accounts.
 * `usd` fields are integers of 10^-6, `amount` fields decimal texts; tokens are `NAME` or `NAME:0x...`.
 */
import type { Address } from '../ledger/transactions.ts';
import { parseDecimal } from '../sdk/decimal.ts';
import type { ActionOf } from '../sdk/wire-actions.ts';
import { defaultAnswer } from './exchange-responses.ts';
import { type ActionContext, type Refusal, refusal, type TransactionBody, type Translation } from './translation.ts';

const QUOTE_TOKEN = 0;
const QUOTE_DECIMALS = 6;
const PERP_DEX = '';
const SPOT = 'spot';
const BAD_AMOUNT = 'Amount is no number of this token.';
const NO_SPOT_FROM_SUB_ACCOUNT = 'Sub-accounts send from their collateral only: move the amount there first.';

export function usdSendAction({ amount, destination }: ActionOf<'usdSend'>): Translation | Refusal {
  return withAmount(amount, (units) => ({ kind: 'sendPerp', recipient: lower(destination), amount: units }));
}

export function spotSendAction({ token, amount, destination }: ActionOf<'spotSend'>, context: ActionContext): Translation | Refusal {
  return sendToken(token, amount, lower(destination), context);
}

/** The amount may name a sub-account that it is for: `10 subaccount:0x...`. */
export function usdClassTransferAction({ amount, toPerp }: ActionOf<'usdClassTransfer'>): Translation | Refusal {
  const match = /^(\S+?)(?: subaccount:(0x[0-9a-fA-F]{40}))?$/.exec(amount);
  const kind = toPerp ? 'deposit' : 'toSpot';
  return withAmount(match?.[1] ?? '', (units) => ({ kind, amount: units }), match?.[2]?.toLowerCase());
}

/** Out of the exchange: the ledger ends here, so the destination is what the one who pays out has to know. */
export function withdrawAction({ amount }: ActionOf<'withdraw3'>): Translation | Refusal {
  return withAmount(amount, (units) => ({ kind: 'withdraw', amount: units }));
}

/** Between the exchange and the ledger balance for oneself, or within one of them to somebody else. */
export function sendAssetAction(
  action: ActionOf<'sendAsset' | 'agentSendAsset'>,
  context: ActionContext,
  sender: Address,
): Translation | Refusal {
  const { sourceDex, destinationDex, token, amount, fromSubAccount } = action;
  const destination = lower(action.destination);
  const from = fromSubAccount === undefined || fromSubAccount === '' ? undefined : fromSubAccount.toLowerCase();
  if (from !== undefined && !/^0x[0-9a-f]{40}$/.test(from)) return refusal('Invalid sub-account.');
  if (![sourceDex, destinationDex].every((dex) => dex === PERP_DEX || dex === SPOT)) return refusal('Invalid perp dex.');
  if (sourceDex === SPOT && destinationDex === SPOT) {
    return from === undefined ? sendToken(token, amount, destination, context) : refusal(NO_SPOT_FROM_SUB_ACCOUNT);
  }
  if (tokenNumber(token, context) !== QUOTE_TOKEN) return refusal('Only the quote token is collateral.');
  if (sourceDex === destinationDex) {
    if (from === undefined) return withAmount(amount, (units) => ({ kind: 'sendPerp', recipient: destination, amount: units }));
    if (destination !== sender) return refusal('Invalid recipient.');
    return withAmount(amount, (units) => ({ kind: 'subTransfer', subAccount: from, deposit: false, amount: units }));
  }
  if (destination !== (from ?? sender)) return refusal('Invalid recipient.');
  const kind = sourceDex === SPOT ? 'deposit' : 'toSpot';
  return withAmount(amount, (units) => ({ kind, amount: units }), from);
}

export function subAccountTransferAction({ subAccountUser, isDeposit, usd }: ActionOf<'subAccountTransfer'>): Translation {
  return plain({ kind: 'subTransfer', subAccount: subAccountUser, deposit: isDeposit, amount: BigInt(usd) });
}

export function subAccountSpotTransferAction(
  { subAccountUser, isDeposit, token, amount }: ActionOf<'subAccountSpotTransfer'>,
  context: ActionContext,
): Translation | Refusal {
  return isDeposit ? sendToken(token, amount, subAccountUser, context) : refusal(NO_SPOT_FROM_SUB_ACCOUNT);
}

function sendToken(name: string, text: string, recipient: Address, context: ActionContext): Translation | Refusal {
  const token = tokenNumber(name, context);
  // A token that is not there has no decimals; the rules refuse its number.
  const amount = parseDecimal(text, context.tokens[token]?.decimals ?? 0);
  if (amount === undefined || amount < 0n) return refusal(BAD_AMOUNT);
  return plain({ kind: 'transfer', recipient, token, amount });
}

/** User-signed addresses keep the case in which they were signed. */
const lower = (address: string): Address => address.toLowerCase();

/** The number behind the last one for a name that is not known. */
function tokenNumber(text: string, { tokens }: ActionContext): number {
  const [name] = text.split(':');
  const found = tokens.findIndex((token) => token.name === name);
  return found < 0 ? tokens.length : found;
}

function withAmount(text: string, body: (units: bigint) => TransactionBody, behalf?: Address): Translation | Refusal {
  const units = parseDecimal(text, QUOTE_DECIMALS);
  return units === undefined || units < 0n ? refusal(BAD_AMOUNT) : plain(body(units), behalf);
}

function plain(body: TransactionBody, behalf?: Address): Translation {
  return { body, answer: defaultAnswer({ kind: body.kind }), ...(behalf === undefined ? {} : { behalf }) };
}
