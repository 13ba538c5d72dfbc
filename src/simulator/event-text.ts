/**
 * Events and records as text, for those who have to find out why two executors differ: kinds and fields by name where the layout pages
 * have them, bytes where they do not.
 */
import * as E from '../exchange/layout.ts';
import * as L from '../ledger/layout.ts';

type FieldType = 'u16' | 'u32' | 'u64' | 'i64';

interface EventShape {
  readonly name: string;
  readonly fields: readonly (readonly [name: string, type: FieldType, offset: number])[];
}

/** The tables of `src/ledger/layout.ts` and `src/exchange/layout.ts`. */
const SHAPES: Readonly<Record<number, EventShape>> = {
  [L.EVENT_TRANSFER]: {
    name: 'transfer',
    fields: [
      ['token', 'u32', 4],
      ['sender', 'u32', 8],
      ['recipient', 'u32', 12],
      ['amount', 'u64', 16],
    ],
  },
  [E.EVENT_ITEM]: {
    name: 'item',
    fields: [
      ['item', 'u16', 4],
      ['code', 'u16', 6],
      ['oid', 'u64', 8],
      ['filledLots', 'i64', 16],
      ['restingLots', 'i64', 24],
    ],
  },
  [E.EVENT_FILL]: {
    name: 'fill',
    fields: [
      ['market', 'u32', 4],
      ['takerOid', 'u64', 8],
      ['makerOid', 'u64', 16],
      ['taker', 'u32', 24],
      ['maker', 'u32', 28],
      ['priceTicks', 'u32', 32],
      ['flags', 'u32', 36],
      ['lots', 'i64', 40],
      ['takerFee', 'i64', 48],
      ['makerFee', 'i64', 56],
      ['takerClosedPnl', 'i64', 64],
      ['makerClosedPnl', 'i64', 72],
      ['takerStartLots', 'i64', 80],
      ['makerStartLots', 'i64', 88],
      ['takerBuilderFee', 'i64', 96],
      ['makerBuilderFee', 'i64', 104],
    ],
  },
  [E.EVENT_CANCEL]: {
    name: 'cancel',
    fields: [
      ['reason', 'u16', 4],
      ['market', 'u16', 6],
      ['oid', 'u64', 8],
      ['lots', 'i64', 16],
      ['account', 'u32', 24],
    ],
  },
  [E.EVENT_ACTIVE]: {
    name: 'active',
    fields: [
      ['code', 'u16', 4],
      ['market', 'u16', 6],
      ['oid', 'u64', 8],
      ['filledLots', 'i64', 16],
      ['restingLots', 'i64', 24],
      ['account', 'u32', 32],
      ['what', 'u32', 36],
    ],
  },
  [E.EVENT_FORCED]: {
    name: 'forced',
    fields: [
      ['method', 'u32', 4],
      ['account', 'u32', 8],
      ['scope', 'u32', 12],
      ['notional', 'i64', 16],
      ['accountValue', 'i64', 24],
      ['maintenance', 'i64', 32],
      ['counterparty', 'u32', 40],
      ['market', 'u32', 44],
      ['lots', 'i64', 48],
      ['amount', 'i64', 56],
    ],
  },
  [E.EVENT_FUNDING]: {
    name: 'funding',
    fields: [
      ['market', 'u32', 4],
      ['rate', 'i64', 8],
      ['premium', 'i64', 16],
      ['indexTicks', 'u32', 24],
      ['paid', 'i64', 32],
      ['residue', 'i64', 40],
    ],
  },
  [E.EVENT_MONEY]: {
    name: 'money',
    fields: [
      ['kind', 'u32', 4],
      ['from', 'u32', 8],
      ['to', 'u32', 12],
      ['amount', 'i64', 16],
      ['fee', 'i64', 24],
      ['shares', 'i64', 32],
    ],
  },
  [E.EVENT_CREATED]: {
    name: 'created',
    fields: [
      ['role', 'u32', 4],
      ['account', 'u32', 8],
      ['owner', 'u32', 12],
    ],
  },
};

/** The events of a receipt, one after the other. An event starts with a u32: its kind, and its length from bit 8. */
export function* eventsOf(bytes: Uint8Array): Generator<DataView, void, undefined> {
  for (let at = 0; at < bytes.length; ) {
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, bytes.length - at);
    const length = bytes.length - at < 4 ? 0 : view.getUint32(0, true) >>> 8;
    if (length < 4 || length > bytes.length - at) return yield view;
    yield new DataView(bytes.buffer, bytes.byteOffset + at, length);
    at += length;
  }
}

function eventText(view: DataView): string {
  const shape = SHAPES[view.getUint8(0)];
  const last = shape?.fields.at(-1)?.[2] ?? 0;
  if (shape === undefined || last + 8 > view.byteLength + 4) return hex(view);
  return `${shape.name} ${shape.fields.map(([name, type, offset]) => `${name} ${fieldOf(view, type, offset)}`).join(', ')}`;
}

function fieldOf(view: DataView, type: FieldType, offset: number): number | bigint {
  if (type === 'u16') return view.getUint16(offset, true);
  if (type === 'u32') return view.getUint32(offset, true);
  return type === 'u64' ? view.getBigUint64(offset, true) : view.getBigInt64(offset, true);
}

/** What differs between two receipts' events; undefined: nothing. */
export function eventsDifference(expected: Uint8Array, found: Uint8Array): string | undefined {
  const [wanted, had] = [[...eventsOf(expected)], [...eventsOf(found)]];
  for (let i = 0; i < Math.max(wanted.length, had.length); i++) {
    const [a, b] = [wanted[i], had[i]];
    if (a !== undefined && b !== undefined && hex(a) === hex(b)) continue;
    const text = (view: DataView | undefined): string => (view === undefined ? 'no event' : `${eventText(view)} (${hex(view)})`);
    return `event ${i} of ${wanted.length}:\n  ${text(a)} expected,\n  ${text(b)} found`;
  }
  return undefined;
}

const CLASS_NAMES = new Map(
  [...Object.entries(L), ...Object.entries(E)].flatMap(([name, value]) => (name.startsWith('CLASS_') ? [[value, name] as const] : [])),
);

/** What differs between two values of a record, by its offsets in the layout page (8 bytes of header included). */
export function recordDifference(key: Uint8Array, expected: Uint8Array | undefined, found: Uint8Array | undefined): string {
  const name = `${CLASS_NAMES.get(key[0] ?? 0) ?? 'record'} ${Buffer.from(key).toString('hex').slice(2)}`;
  if (expected === undefined) return `${name}: not expected, ${hex(found)} found`;
  if (found === undefined) return `${name}: ${hex(expected)} expected, not found`;
  const words: string[] = [];
  for (let at = 0; at < expected.length; at += 8) {
    const [a, b] = [expected.subarray(at, at + 8), found.subarray(at, at + 8)];
    if (hex(a) !== hex(b)) words.push(`at ${at + 8}: ${wordText(a)} expected, ${wordText(b)} found`);
  }
  return `${name}: ${words.join('; ')}`;
}

function wordText(bytes: Uint8Array): string {
  if (bytes.length < 8) return hex(bytes);
  return `${hex(bytes)} = ${new DataView(bytes.buffer, bytes.byteOffset, 8).getBigInt64(0, true)}`;
}

export function hex(bytes: Uint8Array | DataView | undefined): string {
  return bytes === undefined ? '' : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
