/**
 * Rows of 32-bit words, all of one length, in columns: structs whose fields are known by their place only. Two words that may be one field of
 * 64 bits (it would lie at a multiple of 8 bytes) become one column or two, whichever has fewer bits.
 *
 *   of each two words that may be one field: u8 1: one column, 0: two columns; then those columns (number-column.ts)
 *   of each other word: its column
 *
 * Invariant: every row comes back exactly, and the same rows always make the same bytes.
 */
import { type ByteCursor, concatenate } from './byte-cursor.ts';
import { chooseForm, NumberColumnReader, type Numbers, packNumbers } from './number-column.ts';

/** `columns[i]`: word i of every row. `place`: how many words stand in front of the first one where the row is a part of something. */
export function packWordColumns(columns: readonly Uint32Array[], place: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let word = 0; word < columns.length; ) {
    const first = narrow(columns[word] as Uint32Array);
    if (!isPair(word, place, columns.length)) {
      parts.push(packNumbers(first));
      word++;
      continue;
    }
    const second = narrow(columns[word + 1] as Uint32Array);
    const both = { lows: first.lows, highs: second.lows };
    const [forBoth, forFirst, forSecond] = [chooseForm(both), chooseForm(first), chooseForm(second)];
    const isOne = forBoth.bits < forFirst.bits + forSecond.bits;
    parts.push(Uint8Array.of(isOne ? 1 : 0));
    if (isOne) parts.push(packNumbers(both, forBoth));
    else parts.push(packNumbers(first, forFirst), packNumbers(second, forSecond));
    word += 2;
  }
  return concatenate(parts);
}

/** Rows one after the other. */
export class WordRowReader {
  private readonly fields: { readonly column: NumberColumnReader; readonly isPair: boolean }[] = [];

  /** Throws MALFORMED. */
  constructor(cursor: ByteCursor, words: number, place: number) {
    for (let word = 0; word < words; ) {
      const canBeOne = isPair(word, place, words);
      const flag = canBeOne ? cursor.byte() : 0;
      if (flag > 1) cursor.malformed(`two words in the form ${flag}`);
      this.fields.push({ column: new NumberColumnReader(cursor), isPair: flag === 1 });
      if (canBeOne && flag === 0) this.fields.push({ column: new NumberColumnReader(cursor), isPair: false });
      word += canBeOne ? 2 : 1;
    }
  }

  /** Writes the next row to `into`, from word `at`. Throws MALFORMED if there is none. */
  next(into: Uint32Array, at: number): void {
    let word = at;
    for (const { column, isPair } of this.fields) {
      column.next();
      into[word++] = column.low;
      if (isPair) into[word++] = column.high;
    }
  }

  /** Throws MALFORMED if there are more rows. */
  end(): void {
    for (const { column } of this.fields) column.end();
  }
}

function isPair(word: number, place: number, words: number): boolean {
  return (word + place) % 2 === 0 && word + 1 < words;
}

/** Shared by all: nobody writes them. */
let zeros = new Uint32Array(1024);

function narrow(lows: Uint32Array): Numbers {
  if (zeros.length < lows.length) zeros = new Uint32Array(2 * lows.length);
  return { lows, highs: zeros.subarray(0, lows.length) };
}
