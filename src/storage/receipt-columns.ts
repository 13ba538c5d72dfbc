/**
 * Receipts of a block in columns: codes, how many events, which ones, and of each kind of event every field by itself.
 *
 *   u8      version
 *   column  codes of the receipts; column: how many events each has
 *   varint  number of heads, then u32 each: the first words of events (type and length), in the order in which they occur first
 *   varint  number of events, then u8 each: which head
 *   of each head the words of its events behind the first one, in columns (base/word-columns.ts)
 *
 * Invariant: `decodeReceipts` gives back exactly what `encodeReceipts` was given, which is receipts as the node packs them: u32 length, u32
 * code, events, each beginning with u32 type | length << 8, lengths multiples of 4. Everything else is not encoded.
 */
import { ByteCursor, concatenate, varintBytes } from '../base/byte-cursor.ts';
import { NumberColumn, NumberColumnReader } from '../base/number-column.ts';
import { packWordColumns, WordRowReader } from '../base/word-columns.ts';

const VERSION = 1;
const WORD_BYTES = 4;
/** A head's number is a byte. */
const HEADS_MAX = 256;
const LENGTH_SHIFT = 8;

/** More than any block has. Receipts without events can take no bytes when packed, so this bounds what unpacking allocates. */
const RECEIPTS_MAX = 1 << 22;

/** Events with one head: where their words are. */
interface EventKind {
  readonly head: number;
  readonly number: number;
  readonly at: number[];
}

/** Undefined if the bytes are not receipts. */
export function encodeReceipts(bytes: Uint8Array): Uint8Array | undefined {
  const words = wordsOf(bytes);
  if (words === undefined) return undefined;
  const codes = new NumberColumn();
  const counts = new NumberColumn();
  const kinds = new Map<number, EventKind>();
  const heads: EventKind[] = [];
  const order: number[] = [];
  let receipts = 0;
  for (let at = 0; at < words.length; receipts++) {
    const receiptBytes = words[at] as number;
    const end = at + 1 + receiptBytes / WORD_BYTES;
    if (receiptBytes < WORD_BYTES || receiptBytes % WORD_BYTES !== 0 || end > words.length || receipts === RECEIPTS_MAX) return undefined;
    codes.push(words[at + 1] as number, 0);
    let events = 0;
    for (at += 2; at < end; events++) {
      const head = words[at] as number;
      const eventBytes = head >>> LENGTH_SHIFT;
      if (eventBytes < WORD_BYTES || eventBytes % WORD_BYTES !== 0) return undefined;
      let kind = kinds.get(head);
      if (kind === undefined) {
        if (heads.length === HEADS_MAX) return undefined;
        kind = { head, number: heads.length, at: [] };
        kinds.set(head, kind);
        heads.push(kind);
      }
      order.push(kind.number);
      kind.at.push(at);
      at += eventBytes / WORD_BYTES;
    }
    if (at !== end) return undefined;
    counts.push(events, 0);
  }
  const parts = [Uint8Array.of(VERSION), codes.bytes(), counts.bytes(), varintBytes(heads.length)];
  parts.push(new Uint8Array(Uint32Array.from(heads, ({ head }) => head).buffer), varintBytes(order.length), Uint8Array.from(order));
  for (const { head, at } of heads) {
    const columns = Array.from({ length: wordsOfHead(head) - 1 }, (_, word) => column(words, at, word + 1));
    parts.push(packWordColumns(columns, 1));
  }
  return concatenate(parts);
}

/** Throws MALFORMED if the bytes are not what `encodeReceipts` made. */
export function decodeReceipts(bytes: Uint8Array): Uint8Array {
  const cursor = new ByteCursor(bytes);
  const version = cursor.byte();
  if (version !== VERSION) cursor.malformed(`receipts in version ${version}`);
  const codes = new NumberColumnReader(cursor);
  const counts = new NumberColumnReader(cursor);
  const headWords = cursor.take(cursor.varint() * WORD_BYTES);
  const heads = Array.from({ length: headWords.length / WORD_BYTES }, (_, i) => wordAt(headWords, i * WORD_BYTES));
  const order = cursor.take(cursor.varint());
  const events = heads.map((head) => {
    if (wordsOfHead(head) < 1) cursor.malformed(`an event of ${wordsOfHead(head)} words`);
    return new WordRowReader(cursor, wordsOfHead(head) - 1, 1);
  });
  cursor.end();

  let words = 2 * codes.length;
  for (const kind of order) words += wordsOfHead(heads[kind] ?? cursor.malformed(`event kind ${kind}`));
  if (codes.length !== counts.length || codes.length > RECEIPTS_MAX) cursor.malformed(`${codes.length} receipts`);
  const out = new Uint32Array(words);
  let at = 0;
  let event = 0;
  for (let receipt = 0; receipt < codes.length; receipt++) {
    codes.next();
    counts.next();
    const start = at;
    out[at + 1] = codes.low;
    at += 2;
    if (counts.high !== 0 || counts.low > order.length - event) cursor.malformed(`a receipt with ${counts.low} events`);
    for (const last = event + counts.low; event < last; event++) {
      const kind = order[event] as number;
      const head = heads[kind] as number;
      out[at] = head;
      (events[kind] as WordRowReader).next(out, at + 1);
      at += wordsOfHead(head);
    }
    out[start] = (at - start - 1) * WORD_BYTES;
  }
  for (const rows of events) rows.end();
  if (event < order.length) cursor.malformed(`${order.length - event} events are left over`);
  return new Uint8Array(out.buffer);
}

function wordsOfHead(head: number): number {
  return (head >>> LENGTH_SHIFT) >>> 2;
}

function column(words: Uint32Array, at: readonly number[], word: number): Uint32Array {
  const numbers = new Uint32Array(at.length);
  for (let i = 0; i < at.length; i++) numbers[i] = words[(at[i] as number) + word] as number;
  return numbers;
}

function wordsOf(bytes: Uint8Array): Uint32Array | undefined {
  if (bytes.length % WORD_BYTES !== 0) return undefined;
  const aligned = bytes.byteOffset % WORD_BYTES === 0 ? bytes : bytes.slice();
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length / WORD_BYTES);
}

function wordAt(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
}
