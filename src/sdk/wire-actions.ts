/**
 * The actions of `POST /exchange`, as clients send them: their fields, in the order in which they are hashed.
 *
 * Each shape is both: the type (`Of<typeof ...>`) and the canonical order of keys (protocol, appendix A). An action is signed as an L1
 * action (its MessagePack is hashed) or by the user (its fields are an EIP-712 struct, typed-data.ts).
 * Beyond the original, and never sent by its clients: tif "Fok", the fields `e`, `d`, `m` of an order, and the
 * actions `reduce`, `reportPrices` and `voteDelist`.
 * Not here: what Heddle does with an action; those of deployers, validators and outcome markets, which it does not have.
 */
import { HeddleError } from '../base/errors.ts';
import {
  address,
  addressText,
  bool,
  chainId,
  choice,
  clientId,
  decimal,
  flag,
  integer,
  isObject,
  list,
  malformed,
  nullable,
  type Of,
  oneOf,
  optional,
  optionalNullable,
  quantity,
  readNamed,
  type Shape,
  struct,
  text,
  textOr,
  unsigned,
} from './action-shape.ts';

// --- Orders -----------------------------------------------------------------------------------------------------------------------

const TIFS = ['Gtc', 'Ioc', 'Alo', 'FrontendMarket', 'Fok'] as const;

/** Field by field, with all that an order can have. */
export const anyOrder = struct({
  /** Asset. */
  a: unsigned,
  /** Is it a buy? */
  b: bool,
  p: decimal,
  s: decimal,
  /** Reduce only. */
  r: bool,
  t: oneOf({
    limit: struct({ limit: struct({ tif: choice(...TIFS) }) }),
    trigger: struct({ trigger: struct({ isMarket: bool, triggerPx: decimal, tpsl: choice('tp', 'sl') }) }),
  }),
  c: optional(clientId),
  /** Beyond the original: good until this time, ms. */
  e: optional(unsigned),
  /** Beyond the original: the size that is shown (iceberg). */
  d: optional(decimal),
  /** Beyond the original: which of the user's own orders gives way when they meet; absent: the maker. */
  m: optional(choice('cancelMaker', 'cancelTaker', 'cancelBoth')),
});

export type WireOrder = Of<typeof anyOrder>;

const order: Shape<WireOrder> = { read: (value) => limitOrder(value) ?? anyOrder.read(value) };

/**
 * Nearly every order there is: a limit order with its terms and perhaps a client id, as parsed JSON; undefined: it is another, or none.
 * Measured: 0.2 us an order, field by field 1.1 us.
 */
function limitOrder(value: unknown): WireOrder | undefined {
  if (!isPlain(value)) return undefined;
  const { a, b, p, s, r, t, c, e, d, m } = value;
  if (!isPlain(t) || 'trigger' in t || !isPlain(t.limit) || e !== undefined || d !== undefined || m !== undefined) return undefined;
  const tif = t.limit.tif as (typeof TIFS)[number];
  if (!unsigned.fits(a) || typeof b !== 'boolean' || typeof r !== 'boolean' || !decimal.fits(p) || !decimal.fits(s)) return undefined;
  if (!TIFS.includes(tif)) return undefined;
  const terms = { a: a + 0, b, p, s, r, t: { limit: { tif } } };
  if (c === undefined || c === null) return terms;
  return clientId.fits(c) ? { ...terms, c: clientId.read(c) } : undefined;
}

/** An object whose fields are its own. */
function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

const orderId = textOr(clientId, unsigned);
const builder = struct({ b: address, f: unsigned });

/** Fields that every user-signed action begins with. */
const userSigned = { signatureChainId: chainId, hyperliquidChain: choice('Mainnet', 'Testnet') };

const type = <const T extends string>(name: T) => ({ type: choice(name) });

// --- The tables ---------------------------------------------------------------------------------------------------------------------

/** Signed as a hash. */
const L1_ACTIONS = {
  order: struct({
    ...type('order'),
    orders: list(order),
    grouping: optional(textOr(choice('na', 'normalTpsl', 'positionTpsl'), struct({ p: unsigned }))),
    builder: optional(builder),
  }),
  cancel: struct({ ...type('cancel'), cancels: list(struct({ a: unsigned, o: unsigned })), f: flag }),
  cancelByCloid: struct({ ...type('cancelByCloid'), cancels: list(struct({ asset: unsigned, cloid: clientId })), f: flag }),
  modify: struct({ ...type('modify'), oid: orderId, order, a: flag }),
  batchModify: struct({ ...type('batchModify'), modifies: list(struct({ oid: orderId, order })), a: flag }),
  /** Beyond the original: takes a size off resting orders, which keep their places in the queue. */
  reduce: struct({ ...type('reduce'), reduces: list(struct({ a: unsigned, o: unsigned, s: decimal })) }),
  /** Beyond the original, for reporters of the genesis: spot and perpetual prices by source, "0" where one is missing. */
  reportPrices: struct({
    ...type('reportPrices'),
    prices: list(struct({ a: unsigned, s: list(decimal), p: optional(list(decimal)) })),
  }),
  /** Beyond the original, for reporters of the genesis. */
  voteDelist: struct({ ...type('voteDelist'), a: unsigned }),
  scheduleCancel: struct({ ...type('scheduleCancel'), time: optional(unsigned) }),
  twapOrder: struct({
    ...type('twapOrder'),
    twap: struct({ a: unsigned, b: bool, s: decimal, r: bool, m: unsigned, t: bool }),
    details: optional(struct({ t: nullable(struct({ p: decimal, a: bool })), s: nullable(decimal) })),
  }),
  twapCancel: struct({ ...type('twapCancel'), a: unsigned, t: unsigned }),
  updateLeverage: struct({ ...type('updateLeverage'), asset: unsigned, isCross: bool, leverage: unsigned }),
  updateIsolatedMargin: struct({ ...type('updateIsolatedMargin'), asset: unsigned, isBuy: bool, ntli: integer }),
  topUpIsolatedOnlyMargin: struct({ ...type('topUpIsolatedOnlyMargin'), asset: unsigned, leverage: decimal }),
  createSubAccount: struct({ ...type('createSubAccount'), name: text }),
  subAccountModify: struct({ ...type('subAccountModify'), subAccountUser: address, name: text }),
  subAccountTransfer: struct({ ...type('subAccountTransfer'), subAccountUser: address, isDeposit: bool, usd: unsigned }),
  subAccountSpotTransfer: struct({
    ...type('subAccountSpotTransfer'),
    subAccountUser: address,
    isDeposit: bool,
    token: text,
    amount: decimal,
  }),
  createVault: struct({ ...type('createVault'), name: text, description: text, initialUsd: unsigned, nonce: unsigned }),
  vaultModify: struct({
    ...type('vaultModify'),
    vaultAddress: address,
    allowDeposits: optionalNullable(bool),
    alwaysCloseOnWithdraw: optionalNullable(bool),
  }),
  vaultDistribute: struct({ ...type('vaultDistribute'), vaultAddress: address, usd: unsigned }),
  vaultTransfer: struct({ ...type('vaultTransfer'), vaultAddress: address, isDeposit: bool, usd: unsigned }),
  agentSendAsset: struct({
    ...type('agentSendAsset'),
    destination: address,
    sourceDex: text,
    destinationDex: text,
    token: text,
    amount: decimal,
    fromSubAccount: optional(text),
    nonce: unsigned,
  }),
  agentEnableDexAbstraction: struct(type('agentEnableDexAbstraction')),
  agentSetAbstraction: struct({ ...type('agentSetAbstraction'), abstraction: choice('i', 'u', 'p') }),
  setReferrer: struct({ ...type('setReferrer'), code: text }),
  registerReferrer: struct({ ...type('registerReferrer'), code: text }),
  setDisplayName: struct({ ...type('setDisplayName'), displayName: text }),
  reserveRequestWeight: struct({ ...type('reserveRequestWeight'), weight: unsigned, destination: optional(address) }),
  spotUser: struct({ ...type('spotUser'), toggleSpotDusting: struct({ optOut: bool }) }),
  borrowLend: struct({
    ...type('borrowLend'),
    operation: choice('supply', 'withdraw', 'repay', 'borrow'),
    token: unsigned,
    amount: nullable(decimal),
  }),
  evmUserModify: struct({ ...type('evmUserModify'), usingBigBlocks: bool }),
  claimRewards: struct(type('claimRewards')),
  noop: struct(type('noop')),
};

/**
 * Signed field by field. `amount` of usdClassTransfer may end in " subaccount:0x...". Destinations are texts whose case stays: take them in
 * lower case.
 */
const USER_ACTIONS = {
  usdSend: struct({ ...type('usdSend'), ...userSigned, destination: addressText, amount: decimal, time: unsigned }),
  spotSend: struct({ ...type('spotSend'), ...userSigned, destination: addressText, token: text, amount: decimal, time: unsigned }),
  withdraw3: struct({ ...type('withdraw3'), ...userSigned, destination: addressText, amount: decimal, time: unsigned }),
  usdClassTransfer: struct({ ...type('usdClassTransfer'), ...userSigned, amount: text, toPerp: bool, nonce: unsigned }),
  sendAsset: struct({
    ...type('sendAsset'),
    ...userSigned,
    destination: addressText,
    sourceDex: text,
    destinationDex: text,
    token: text,
    amount: decimal,
    fromSubAccount: optional(text),
    nonce: unsigned,
  }),
  sendToEvmWithData: struct({
    ...type('sendToEvmWithData'),
    ...userSigned,
    token: text,
    amount: decimal,
    sourceDex: text,
    destinationRecipient: text,
    addressEncoding: choice('hex', 'base58'),
    destinationChainId: unsigned,
    gasLimit: unsigned,
    data: text,
    nonce: unsigned,
  }),
  approveAgent: struct({
    ...type('approveAgent'),
    ...userSigned,
    agentAddress: address,
    agentName: optionalNullable(text),
    nonce: unsigned,
  }),
  approveBuilderFee: struct({ ...type('approveBuilderFee'), ...userSigned, maxFeeRate: text, builder: address, nonce: unsigned }),
  /** `signers` is JSON as a text: {authorizedUsers, threshold}, or null for an ordinary user again. */
  convertToMultiSigUser: struct({ ...type('convertToMultiSigUser'), ...userSigned, signers: text, nonce: unsigned }),
  userSetAbstraction: struct({
    ...type('userSetAbstraction'),
    ...userSigned,
    user: address,
    // The short names stand inside multi-signature actions; what is signed are the long ones (typed-data.ts).
    abstraction: choice('disabled', 'unifiedAccount', 'portfolioMargin', 'i', 'u', 'p'),
    nonce: unsigned,
  }),
  userDexAbstraction: struct({ ...type('userDexAbstraction'), ...userSigned, user: address, enabled: bool, nonce: unsigned }),
  userPortfolioMargin: struct({ ...type('userPortfolioMargin'), ...userSigned, user: address, enabled: bool, nonce: unsigned }),
  cDeposit: struct({ ...type('cDeposit'), ...userSigned, wei: unsigned, nonce: unsigned }),
  cWithdraw: struct({ ...type('cWithdraw'), ...userSigned, wei: unsigned, nonce: unsigned }),
  tokenDelegate: struct({
    ...type('tokenDelegate'),
    ...userSigned,
    validator: address,
    wei: unsigned,
    isUndelegate: bool,
    nonce: unsigned,
  }),
  linkStakingUser: struct({ ...type('linkStakingUser'), ...userSigned, user: address, isFinalize: bool, nonce: unsigned }),
  stakingLinkDisableTradingUser: struct({ ...type('stakingLinkDisableTradingUser'), ...userSigned, tradingUser: address, nonce: unsigned }),
};

export type L1Action = Of<(typeof L1_ACTIONS)[keyof typeof L1_ACTIONS]>;
export type UserAction = Of<(typeof USER_ACTIONS)[keyof typeof USER_ACTIONS]>;
export type SingleAction = L1Action | UserAction;

const singleAction: Shape<SingleAction> = {
  read: (value) => {
    const name = isObject(value) && typeof value.type === 'string' ? value.type : malformed('an object with a type');
    const shape = Object.hasOwn(L1_ACTIONS, name)
      ? L1_ACTIONS[name as keyof typeof L1_ACTIONS]
      : Object.hasOwn(USER_ACTIONS, name)
        ? USER_ACTIONS[name as keyof typeof USER_ACTIONS]
        : undefined;
    if (shape === undefined) throw new HeddleError('UNKNOWN_ACTION', `there is no action "${name.slice(0, 64)}" here`);
    return shape.read(value) as SingleAction;
  },
};

const multiSig = struct({
  ...type('multiSig'),
  signatureChainId: chainId,
  signatures: list(struct({ r: quantity, s: quantity, v: unsigned })),
  payload: struct({ multiSigUser: address, outerSigner: address, action: singleAction }),
});

export type MultiSigAction = Of<typeof multiSig>;
export type WireAction = SingleAction | MultiSigAction;
/** Every `type` that an action may have. */
export const ACTION_NAMES: readonly string[] = [...Object.keys(L1_ACTIONS), ...Object.keys(USER_ACTIONS), 'multiSig'];
/** The action of a name, for whoever handles one. */
export type ActionOf<N extends WireAction['type']> = Extract<WireAction, { readonly type: N }>;

/**
 * An action out of parsed JSON, in canonical form. Throws MALFORMED_ACTION (a field is missing or is not what it should be) and
 * UNKNOWN_ACTION.
 */
export function readAction(value: unknown): WireAction {
  return readNamed<WireAction>(isObject(value) && value.type === 'multiSig' ? multiSig : singleAction, value, 'action');
}

export function isUserSigned(action: WireAction): action is UserAction {
  return Object.hasOwn(USER_ACTIONS, action.type);
}
