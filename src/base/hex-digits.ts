/** Addresses, client ids and hashes as texts: 0x and two lower-case digits a byte. */

/** Writes `length` bytes. False, with something half written, if it is not 0x and two lower-case digits a byte. */
export function putHex(value: unknown, into: Uint8Array, at: number, length: number): boolean {
  if (typeof value !== 'string' || value.length !== 2 + length * 2 || !value.startsWith('0x')) return false;
  let wrong = 0;
  for (let i = 0; i < length; i++) {
    const high = digit(value.charCodeAt(2 + 2 * i));
    const low = digit(value.charCodeAt(3 + 2 * i));
    wrong |= high | low;
    into[at + i] = (high << 4) | low;
  }
  return wrong < 16;
}

/** The value of a digit 0 to 9, a to f; above 15 for every other character. */
function digit(character: number): number {
  if (character >= 48 && character <= 57) return character - 48;
  return character >= 97 && character <= 102 ? character - 87 : 16;
}
