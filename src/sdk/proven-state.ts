/**
 * Checks what a node says about its blocks and its state: that a header is the one of its hash, and that a record is, or is not, in the state
 * that a header commits to.
 *
 * Invariant: what is returned follows from the header alone, whatever the node has said. Throws UNPROVEN, or a ProofError.
 * Not here: whether the header is one to believe. Its hash has to come from elsewhere, from another node, say, or from a later header.
 */
import { HeddleError } from '../base/errors.ts';
import { type BlockHeader, decodeHeader, headerHash } from '../commitment/header.ts';
import { verifyProof } from '../commitment/verify.ts';
import { isObject } from './action-shape.ts';
import type { Hex } from './market-answers.ts';

export interface SettledBlock {
  readonly height: number;
  readonly header: BlockHeader;
  readonly hash: Uint8Array;
}

export interface ProvenRecord extends SettledBlock {
  /** The committed value, without trailing zero bytes; undefined: the state has no record of this key. */
  readonly value: Uint8Array | undefined;
}

function unproven(message: string): never {
  throw new HeddleError('UNPROVEN', message);
}

export function bytesOfHex(hex: unknown, name: string): Uint8Array {
  if (typeof hex !== 'string' || !/^0x([0-9a-fA-F]{2})*$/.test(hex)) unproven(`${name} of the answer is not in hex`);
  return Uint8Array.from({ length: (hex.length - 2) / 2 }, (_, i) => Number.parseInt(hex.slice(2 + 2 * i, 4 + 2 * i), 16));
}

export function hexOfBytes(bytes: Uint8Array): Hex {
  return `0x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

function blockOf(hex: unknown, height: unknown): SettledBlock {
  const header = decodeHeader(bytesOfHex(hex, 'header'));
  if (header.height !== height) unproven(`the header is that of block ${header.height} and not of ${String(height)}`);
  return { height: header.height, header, hash: headerHash(header) };
}

/** The block of an answer to {type: "settlement"}; undefined: the node knows it as not settled, or not at all. */
export function settledBlock(answer: unknown, height: number): SettledBlock | undefined {
  if (answer === null) return undefined;
  if (!isObject(answer) || typeof answer.settled !== 'boolean') unproven('the answer is none about a settlement');
  if (answer.height !== height) unproven(`block ${height} was asked for, and the answer is about ${String(answer.height)}`);
  if (!answer.settled) return undefined;
  const block = blockOf(answer.header, height);
  if (answer.headerHash !== hexOfBytes(block.hash)) unproven('the header is not the one of its hash');
  if (answer.stateRoot !== hexOfBytes(block.header.stateRoot)) unproven('the state root is not the one of the header');
  return block;
}

/** The record of an answer to {type: "proof"}. With `trustedHash`: of the header with this hash, or of none. */
export function provenRecord(answer: unknown, key: Uint8Array, trustedHash?: Uint8Array): ProvenRecord {
  if (!isObject(answer)) unproven('the answer is none about a proof');
  const block = blockOf(answer.header, answer.height);
  if (trustedHash !== undefined && hexOfBytes(trustedHash) !== hexOfBytes(block.hash)) unproven('the header is not the trusted one');
  const { entries } = verifyProof(block.header.stateRoot, bytesOfHex(answer.proof, 'proof'));
  const entry = entries.find((one) => hexOfBytes(one.key) === hexOfBytes(key));
  if (entry === undefined) unproven('the proof is about another key');
  return { ...block, value: entry.value };
}
