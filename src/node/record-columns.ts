/**
 * Records of a part of the state in columns: those of one class lie together, sorted by their keys.
 *
 *   of each class, ascending, and of each length of its keys, ascending:
 *     u8      class; u8 bytes of the key behind it; varint number of records; varint words of the longest value, made up to an even number
 *     keys    big endian words in columns of numbers (base/number-column.ts); bytes that make no word up: a plane for each of them in front
 *     values  little endian words in columns (base/word-columns.ts); shorter values have zeros behind them
 *
 * Invariant: the same records always make the same bytes, and what is decoded has each key once. Values end with a byte that is not zero, or
 * are empty, as the committed part of a record does: so zeros behind them need not be counted.
 * Not here: whether the bytes are the right ones (snapshot-format.ts has their hash).
 */
import { assert } from '../base/assert.ts';
import { ByteCursor, concatenate, varintBytes } from '../base/byte-cursor.ts';
import { NumberColumnReader, packNumbers } from '../base/number-column.ts';
import { packWordColumns, WordRowReader } from '../base/word-columns.ts';
import type { TreeRecord } from '../commitment/state-tree.ts';

const WORD_BYTES = 4;
const KEY_BYTES_MAX = 255;
/** Far more than records have: 56 bytes. */
const VALUE_WORDS_MAX = 64;

/** Records with different keys, in any order. */
export function encodeRecords(records: readonly TreeRecord[]): Uint8Array {
  const sorted = [...records].sort((a, b) => compareKeys(a.key, b.key));
  const parts: Uint8Array[] = [];
  for (let from = 0; from < sorted.length; ) {
    const { key } = sorted[from] as TreeRecord;
    let to = from + 1;
    while (to < sorted.length && compareShapes((sorted[to] as TreeRecord).key, key) === 0) to++;
    parts.push(encodeClass(sorted.slice(from, to)));
    from = to;
  }
  return concatenate(parts);
}

/** In the order of the encoding. Throws MALFORMED for what is no encoding of records with different keys. */
export function decodeRecords(bytes: Uint8Array): TreeRecord[] {
  const cursor = new ByteCursor(bytes);
  const records: TreeRecord[] = [];
  let last: TreeRecord | undefined;
  while (cursor.left > 0) {
    for (const record of decodeClass(cursor)) {
      if (last !== undefined && compareKeys(last.key, record.key) >= 0) cursor.malformed('the keys of records do not ascend');
      records.push(record);
      last = record;
    }
  }
  return records;
}

/** All of one class and with keys of one length. */
function encodeClass(records: readonly TreeRecord[]): Uint8Array {
  const { key: firstKey } = records[0] as TreeRecord;
  const keyBytes = firstKey.length - 1;
  const valueBytes = records.reduce((most, { value }) => Math.max(most, value.length), 0);
  assert(valueBytes <= VALUE_WORDS_MAX * WORD_BYTES && keyBytes < KEY_BYTES_MAX, `a record of ${keyBytes} and ${valueBytes} bytes`);
  const valueWords = 2 * Math.ceil(valueBytes / (2 * WORD_BYTES));
  const front = [Uint8Array.of(firstKey[0] as number, keyBytes), varintBytes(records.length), varintBytes(valueWords)];

  const odd = keyBytes % WORD_BYTES;
  const planes = new Uint8Array(odd * records.length);
  const keyColumns = Array.from({ length: (keyBytes - odd) / WORD_BYTES }, () => new Uint32Array(records.length));
  const valueColumns = Array.from({ length: valueWords }, () => new Uint32Array(records.length));
  const padded = new Uint8Array(valueWords * WORD_BYTES);
  const paddedView = new DataView(padded.buffer);
  for (const [i, { key, value }] of records.entries()) {
    assert(value.length === 0 || value[value.length - 1] !== 0, 'the value of a record ends with a zero');
    for (let at = 0; at < odd; at++) planes[at * records.length + i] = key[1 + at] as number;
    const keyView = new DataView(key.buffer, key.byteOffset, key.length);
    for (const [word, column] of keyColumns.entries()) column[i] = keyView.getUint32(1 + odd + word * WORD_BYTES);
    padded.fill(0);
    padded.set(value);
    for (const [word, column] of valueColumns.entries()) column[i] = paddedView.getUint32(word * WORD_BYTES, true);
  }
  const zeros = new Uint32Array(records.length);
  const keys = keyColumns.map((lows) => packNumbers({ lows, highs: zeros }));
  return concatenate([...front, planes, ...keys, packWordColumns(valueColumns, 0)]);
}

function* decodeClass(cursor: ByteCursor): Generator<TreeRecord> {
  const recordClass = cursor.byte();
  const keyBytes = cursor.byte();
  const count = cursor.varint();
  const valueWords = cursor.varint();
  // Keys differ, so each record has a byte at least.
  if (keyBytes > KEY_BYTES_MAX - 1 || count > 1 + cursor.left || valueWords > VALUE_WORDS_MAX) cursor.malformed(`${count} records`);
  const odd = keyBytes % WORD_BYTES;
  const planes = cursor.take(odd * count);
  const keys = Array.from({ length: (keyBytes - odd) / WORD_BYTES }, () => new NumberColumnReader(cursor));
  const values = new WordRowReader(cursor, valueWords, 0);
  const words = new Uint32Array(valueWords);
  const valueBytes = new Uint8Array(words.buffer);
  for (let i = 0; i < count; i++) {
    const key = new Uint8Array(1 + keyBytes);
    const view = new DataView(key.buffer);
    key[0] = recordClass;
    for (let at = 0; at < odd; at++) key[1 + at] = planes[at * count + i] as number;
    for (const [word, column] of keys.entries()) {
      column.next();
      view.setUint32(1 + odd + word * WORD_BYTES, column.low);
    }
    values.next(words, 0);
    let length = valueBytes.length;
    while (length > 0 && valueBytes[length - 1] === 0) length--;
    yield { key, value: valueBytes.slice(0, length) };
  }
  for (const column of keys) column.end();
  values.end();
}

/** By class, then by length. */
function compareShapes(a: Uint8Array, b: Uint8Array): number {
  return (a[0] as number) - (b[0] as number) || a.length - b.length;
}

function compareKeys(a: Uint8Array, b: Uint8Array): number {
  return compareShapes(a, b) || Buffer.compare(a, b);
}
