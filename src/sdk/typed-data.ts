/**
 * The digests that are signed (EIP-712): of an L1 action by its hash, of a user-signed action field by field (protocol, 2.1 to 2.3 and
 * appendix B).
 *
 * All structs are flat, so encoding one is: the hash of its type, then 32 bytes a field; the digest binds the domain as well.
 * Invariant: the digest of an action depends on nothing but its fields, the chain's name and the chain id that its wallet chose.
 */
import { keccak_256 } from '@noble/hashes/sha3.js';
import { concatBytes, hexToBytes } from '@noble/hashes/utils.js';
import { HeddleError } from '../base/errors.ts';
import { addressBytes } from './action-hash.ts';
import type { UserAction } from './wire-actions.ts';

export type Chain = 'Mainnet' | 'Testnet';

/** Signers of a multi-signature user sign two fields more. */
export interface MultiSigParties {
  readonly multiSigUser: string;
  readonly outerSigner: string;
}

const utf8 = new TextEncoder();
const hashText = (text: string): Uint8Array => keccak_256(utf8.encode(text));

// --- Structs ------------------------------------------------------------------------------------------------------------------------

interface Field {
  readonly type: string;
  readonly name: string;
}

interface StructType {
  readonly hash: Uint8Array;
  readonly fields: readonly Field[];
}

/** Of a type as EIP-712 writes it: Name(type field,type field). */
function structType(definition: string): StructType {
  const open = definition.indexOf('(');
  const fields = definition
    .slice(open + 1, -1)
    .split(',')
    .map((field) => {
      const [type = '', name = ''] = field.split(' ');
      return { type, name };
    });
  return { hash: hashText(definition), fields };
}

function encodeStruct({ hash, fields }: StructType, values: Readonly<Record<string, unknown>>): Uint8Array {
  return concatBytes(hash, ...fields.map(({ type, name }) => encodeField(type, values[name], name)));
}

function encodeField(type: string, value: unknown, name: string): Uint8Array {
  if (type === 'string' && typeof value === 'string') return hashText(value);
  if (type === 'bool' && typeof value === 'boolean') return word(value ? 1n : 0n);
  if (type === 'address' && typeof value === 'string') return padded(addressBytes(value));
  if (type === 'bytes32' && value instanceof Uint8Array && value.length === 32) return value;
  if (type === 'bytes' && typeof value === 'string' && /^0x([0-9a-fA-F]{2})*$/.test(value)) return keccak_256(hexToBytes(value.slice(2)));
  const bits = /^uint(\d+)$/.exec(type)?.[1];
  if (bits !== undefined && (typeof value === 'bigint' || Number.isSafeInteger(value))) {
    const number = BigInt(value as number | bigint);
    if (number === BigInt.asUintN(Number(bits), number)) return word(number);
  }
  throw new HeddleError('NOT_ENCODABLE', `${name} has to be a value of the type ${type}`);
}

function word(value: bigint): Uint8Array {
  return hexToBytes(value.toString(16).padStart(64, '0'));
}

function padded(bytes: Uint8Array): Uint8Array {
  const result = new Uint8Array(32);
  result.set(bytes, 32 - bytes.length);
  return result;
}

// --- Domains ------------------------------------------------------------------------------------------------------------------------

const DOMAIN = structType('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)');
const NO_CONTRACT = `0x${'0'.repeat(40)}`;

function domainSeparator(name: string, chainId: bigint): Uint8Array {
  return keccak_256(encodeStruct(DOMAIN, { name, version: '1', chainId, verifyingContract: NO_CONTRACT }));
}

const L1_CHAIN_ID = 1337n;
const PREFIX = Uint8Array.of(0x19, 0x01);

/**
 * What a digest is made from: keccak(prefix, ... keccak(prefix, keccak(message))), the innermost prefix first. Threads that recover signers
 * make the digest themselves.
 */
export interface Preimage {
  readonly message: Uint8Array;
  readonly prefixes: readonly Uint8Array[];
}

export function digestOf({ message, prefixes }: Preimage): Uint8Array {
  return prefixes.reduce((hash, prefix) => keccak_256(concatBytes(prefix, hash)), keccak_256(message));
}

/** A struct that the user signs, for the chain that the wallet is on. */
function userPreimage(signatureChainId: string, type: StructType, values: Readonly<Record<string, unknown>>): Preimage {
  const separator = domainSeparator('HyperliquidSignTransaction', BigInt(signatureChainId));
  return { message: encodeStruct(type, values), prefixes: [concatBytes(PREFIX, separator)] };
}

// --- L1 actions ---------------------------------------------------------------------------------------------------------------------

const AGENT = structType('Agent(string source,bytes32 connectionId)');

/** What stands before the connection id in the struct, and before the struct's hash in what is signed. */
function agentPrefixes(chain: Chain, chainId: bigint): readonly Uint8Array[] {
  const source = hashText(chain === 'Mainnet' ? 'a' : 'b');
  return [concatBytes(AGENT.hash, source), concatBytes(PREFIX, domainSeparator('Exchange', chainId))];
}

const AGENT_PREFIXES: Readonly<Record<Chain, readonly Uint8Array[]>> = {
  Mainnet: agentPrefixes('Mainnet', L1_CHAIN_ID),
  Testnet: agentPrefixes('Testnet', L1_CHAIN_ID),
};

/** What is signed of an L1 action, given as what its connection id is the hash of (`packedAction`). */
export function agentPreimage(packed: Uint8Array, chain: Chain): Preimage {
  return { message: packed, prefixes: AGENT_PREFIXES[chain] };
}

/** The same for a connection id. `chainId` differs from the protocol's in the diagnosis of wrong signatures only. */
export function agentDigest(connectionId: Uint8Array, chain: Chain, chainId = L1_CHAIN_ID): Uint8Array {
  const prefixes = chainId === L1_CHAIN_ID ? AGENT_PREFIXES[chain] : agentPrefixes(chain, chainId);
  return prefixes.reduce((hash, prefix) => keccak_256(concatBytes(prefix, hash)), connectionId);
}

// --- User-signed actions --------------------------------------------------------------------------------------------------------------

/** Fields behind `string hyperliquidChain`, with which each struct begins. withdraw3 signs under another name. */
const USER_FIELDS: Readonly<Record<UserAction['type'], readonly [name: string, fields: string]>> = {
  approveAgent: ['ApproveAgent', 'address agentAddress,string agentName,uint64 nonce'],
  approveBuilderFee: ['ApproveBuilderFee', 'string maxFeeRate,address builder,uint64 nonce'],
  cDeposit: ['CDeposit', 'uint64 wei,uint64 nonce'],
  cWithdraw: ['CWithdraw', 'uint64 wei,uint64 nonce'],
  convertToMultiSigUser: ['ConvertToMultiSigUser', 'string signers,uint64 nonce'],
  linkStakingUser: ['LinkStakingUser', 'address user,bool isFinalize,uint64 nonce'],
  sendAsset: [
    'SendAsset',
    'string destination,string sourceDex,string destinationDex,string token,string amount,string fromSubAccount,uint64 nonce',
  ],
  sendToEvmWithData: [
    'SendToEvmWithData',
    'string token,string amount,string sourceDex,string destinationRecipient,string addressEncoding,uint32 destinationChainId,uint64 gasLimit,bytes data,uint64 nonce',
  ],
  spotSend: ['SpotSend', 'string destination,string token,string amount,uint64 time'],
  stakingLinkDisableTradingUser: ['StakingLinkDisableTradingUser', 'address tradingUser,uint64 nonce'],
  tokenDelegate: ['TokenDelegate', 'address validator,uint64 wei,bool isUndelegate,uint64 nonce'],
  usdClassTransfer: ['UsdClassTransfer', 'string amount,bool toPerp,uint64 nonce'],
  usdSend: ['UsdSend', 'string destination,string amount,uint64 time'],
  userDexAbstraction: ['UserDexAbstraction', 'address user,bool enabled,uint64 nonce'],
  userPortfolioMargin: ['UserPortfolioMargin', 'address user,bool enabled,uint64 nonce'],
  userSetAbstraction: ['UserSetAbstraction', 'address user,string abstraction,uint64 nonce'],
  withdraw3: ['Withdraw', 'string destination,string amount,uint64 time'],
};

const PARTIES = 'address payloadMultiSigUser,address outerSigner,';

function userTypes(parties: string): Readonly<Record<UserAction['type'], StructType>> {
  const types = Object.entries(USER_FIELDS).map(([action, [name, fields]]) => [
    action,
    structType(`HyperliquidTransaction:${name}(string hyperliquidChain,${parties}${fields})`),
  ]);
  return Object.fromEntries(types) as Record<UserAction['type'], StructType>;
}

const USER_TYPES = userTypes('');
const INNER_TYPES = userTypes(PARTIES);
/** Optional fields are signed as the empty text. */
const ABSENT = { agentName: '', fromSubAccount: '' };
/** Of the modes of accounts, as multi-signature actions carry them. */
const LONG_NAMES: Readonly<Record<string, string>> = { i: 'disabled', u: 'unifiedAccount', p: 'portfolioMargin' };

/**
 * What is signed of a user-signed action; with `parties`, what each signer of a multi-signature user signs. Throws NOT_ENCODABLE (a number
 * is too large for its field).
 */
export function userActionPreimage(action: UserAction, parties?: MultiSigParties): Preimage {
  const given = Object.entries(action).filter(([, value]) => value !== null);
  const values: Record<string, unknown> = { ...ABSENT, ...Object.fromEntries(given) };
  if (action.type === 'userSetAbstraction') values.abstraction = LONG_NAMES[action.abstraction] ?? action.abstraction;
  if (parties === undefined) return userPreimage(action.signatureChainId, USER_TYPES[action.type], values);
  const inner = { ...values, payloadMultiSigUser: parties.multiSigUser, outerSigner: parties.outerSigner };
  return userPreimage(action.signatureChainId, INNER_TYPES[action.type], inner);
}

const SEND_MULTI_SIG = structType('HyperliquidTransaction:SendMultiSig(string hyperliquidChain,bytes32 multiSigActionHash,uint64 nonce)');

/** What is signed by whoever sends a multi-signature action. */
export function sendMultiSigPreimage(chain: Chain, signatureChainId: string, multiSigActionHash: Uint8Array, nonce: number): Preimage {
  return userPreimage(signatureChainId, SEND_MULTI_SIG, { hyperliquidChain: chain, multiSigActionHash, nonce });
}
