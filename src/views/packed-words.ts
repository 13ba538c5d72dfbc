/** What stands in packed rows as bytes and elsewhere as text: client ids of 16 bytes. Also the halves of numbers of 64 bits, without a bigint for each. */
import type { ClientId } from '../ledger/transactions.ts';

export const CLIENT_ID_BYTES = 16;

const CLIENT_ID_DIGITS = 2 * CLIENT_ID_BYTES;
const DIGITS_OF_WORD = 8;
const wide = new BigUint64Array(1);
const halves = new Uint32Array(wide.buffer);
/** Index of the lower half. */
const LOW = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 0 : 1;

/** `value`: of 64 bits. */
export function lowWord(value: bigint): number {
  wide[0] = value;
  return halves[LOW] as number;
}

/** `value`: of 64 bits. */
export function highWord(value: bigint): number {
  wide[0] = value;
  return halves[1 - LOW] as number;
}

/** `clientId`: 0x and 32 digits, in lower case. */
export function writeClientId(view: DataView, at: number, clientId: ClientId): void {
  for (let i = 0; i < CLIENT_ID_DIGITS; i += DIGITS_OF_WORD) {
    let word = 0;
    for (let j = 2 + i; j < 2 + i + DIGITS_OF_WORD; j++) {
      const digit = clientId.charCodeAt(j);
      // '0' is 48, 'a' is 97.
      word = (word << 4) | (digit < 58 ? digit - 48 : digit - 87);
    }
    view.setInt32(at + (i >> 1), word);
  }
}

export function readClientId(view: DataView, at: number): ClientId {
  let text = '0x';
  for (let i = 0; i < CLIENT_ID_BYTES; i += 4) {
    text += view
      .getUint32(at + i)
      .toString(16)
      .padStart(DIGITS_OF_WORD, '0');
  }
  return text;
}
