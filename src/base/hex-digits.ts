/** Addresses, client ids and hashes as texts: 0x and two lower-case digits a byte. */

const WRONG = 16;
/** By character: the value of 0 to 9 and a to f. */
const DIGITS = new Uint8Array(128).fill(WRONG);
[...'0123456789abcdef'].forEach((character, value) => {
  DIGITS[character.charCodeAt(0)] = value;
});

/** Writes `length` bytes. False, with something half written, if it is not 0x and two lower-case digits a byte. */
export function putHex(value: unknown, into: Uint8Array, at: number, length: number): boolean {
  if (typeof value !== 'string' || value.length !== 2 + length * 2 || value.charCodeAt(0) !== 0x30 || value.charCodeAt(1) !== 0x78)
    return false;
  let wrong = 0;
  for (let i = 0; i < length; i++) {
    const high = DIGITS[value.charCodeAt(2 + 2 * i)] ?? WRONG;
    const low = DIGITS[value.charCodeAt(3 + 2 * i)] ?? WRONG;
    wrong |= high | low;
    into[at + i] = (high << 4) | low;
  }
  return wrong < WRONG;
}
