/**
 * What a ledger takes on disk: bodies, receipts and access lists of blocks and the records of a snapshot, in rows and in columns, with zstd
 * and without; and what it takes to make them and to read them.
 *
 * The plain form of a transaction is its encoding by itself; of receipts what headers hash; of an access list the kernel's words; of a
 * record its key and committed value with their lengths. Everything that is measured is read back and compared.
 */
import assert from 'node:assert/strict';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { committedValue } from '../commitment/state-tree.ts';
import { RecordedAccessList } from '../execution/access-list.ts';
import { Engine } from '../execution/index.ts';
import { decodeColumns, encodeColumns, newAddresses } from '../ledger/block-columns.ts';
import { type AddressBook, NO_BOOK } from '../ledger/name-columns.ts';
import { decodeBlock, encodeBlock, encodeTransaction } from '../ledger/transaction-codec.ts';
import type { Address, Block } from '../ledger/transactions.ts';
import { packChunks, SortedTree } from '../node/index.ts';
import type { SizeRow } from '../report/index.ts';
import { packBody, packReceipts, unpackBody, unpackReceipts } from '../storage/index.ts';
import type { Benchmark } from './benchmark.ts';
import { generatedFlow, loadFlow, recordedFlow, type SampledFlow } from './sampled-flows.ts';
import type { BenchSettings } from './settings.ts';
import { median } from './statistics.ts';

const TRANSACTIONS = 60_000;
const QUICK_TRANSACTIONS = 20_000;
/** Blocks of one size, and so many times smaller ones: what the same flow takes when fewer transactions share a block. */
const SMALLER = 20;
const MEMORY_MIB = 3072;
const ACCOUNT_CLASS = 1;

interface SampledBlock {
  readonly block: Block;
  readonly kernelBytes: number;
  readonly receipts: Uint8Array;
  readonly list: Uint8Array;
}

interface Sample {
  readonly flow: SampledFlow;
  readonly blocks: readonly SampledBlock[];
  /** The addresses of all blocks before those that are measured. */
  readonly book: MapBook;
  readonly records: readonly { readonly key: Uint8Array; readonly value: Uint8Array }[];
  /** Bytes of the records' payloads with what is not committed to, and of their keys. */
  readonly payloadBytes: number;
}

/** A book in memory. */
class MapBook implements AddressBook {
  private readonly numbers = new Map<Address, number>();
  private readonly addresses: Address[] = [];

  get size(): number {
    return this.addresses.length;
  }

  numberOf(address: Address): number | undefined {
    return this.numbers.get(address);
  }

  addressOf(number: number): Address | undefined {
    return this.addresses[number];
  }

  add(addresses: readonly Address[]): void {
    for (const address of addresses) this.numbers.set(address, this.addresses.push(address) - 1);
  }
}

/** Executes the flow, and keeps its last blocks, of `kept` transactions or a few more. */
async function sample(flow: SampledFlow, kept: number): Promise<Sample> {
  const engine = await Engine.create({ genesis: flow.genesis, workers: 1, memoryMiB: MEMORY_MIB, commitment: true });
  try {
    const blocks: SampledBlock[] = [];
    const before = new MapBook();
    let held = 0;
    for (const { block, prepared } of flow.blocks(engine)) {
      const { kept: receipts, accessList } = await engine.execute(prepared, { model: 'serial', record: true, keepReceipts: true });
      assert.ok(accessList instanceof RecordedAccessList && receipts !== undefined);
      const list = new Uint8Array(accessList.words.buffer, accessList.words.byteOffset, accessList.words.byteLength).slice();
      blocks.push({ block, kernelBytes: prepared.bytes.length, receipts: receipts.bytes, list });
      held += block.transactions.length;
      for (let [first] = blocks; first !== undefined && held - first.block.transactions.length >= kept; [first] = blocks) {
        before.add(newAddresses(encodeColumns(first.block, before)));
        held -= first.block.transactions.length;
        blocks.shift();
      }
    }
    const state = Array.from(engine.records(), ({ key, value }) => ({ key: key.slice(), value: value.slice() }));
    return {
      flow,
      blocks,
      book: before,
      records: state.map(({ key, value }) => ({ key, value: committedValue(key, value) })),
      payloadBytes: state.reduce((sum, { key, value }) => sum + key.length + value.length, 0),
    };
  } finally {
    await engine.close();
  }
}

const zstd = (level: number) => ({
  encode: (bytes: Uint8Array): Uint8Array => zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: level } }),
  decode: (bytes: Uint8Array): Uint8Array => zstdDecompressSync(bytes),
});

interface Form<T> {
  readonly name: string;
  readonly encode: (value: T) => Uint8Array;
  readonly decode?: (bytes: Uint8Array) => unknown;
  /** What decoding gives back. */
  readonly decoded?: (value: T) => unknown;
}

type Rounds = Pick<BenchSettings, 'rounds' | 'warmUps'>;

interface Measured {
  readonly bytes: number;
  readonly encodeMicros?: number;
  readonly decodeMicros?: number;
}

/** Of all values together. Times are medians over the rounds. */
function measure<T>(values: readonly T[], { encode, decode, decoded }: Form<T>, { rounds, warmUps }: Rounds): Measured {
  const encoded = values.map(encode);
  const bytes = encoded.reduce((sum, { length }) => sum + length, 0);
  if (decode === undefined || decoded === undefined) return { bytes };
  for (const [i, value] of values.entries()) assert.deepEqual(decode(encoded[i] as Uint8Array), decoded(value));
  const time = (action: () => void): number => {
    const micros: number[] = [];
    for (let i = 0; i < warmUps; i++) action();
    for (let round = 0; round < rounds; round++) {
      const started = performance.now();
      action();
      micros.push((performance.now() - started) * 1000);
    }
    return median(micros);
  };
  const encodeMicros = time(() => values.forEach(encode));
  return { bytes, encodeMicros, decodeMicros: time(() => encoded.forEach(decode)) };
}

function sizeRows(
  parameters: SizeRow['parameters'],
  what: string,
  per: string,
  count: number,
  measured: ReadonlyMap<string, Measured>,
): SizeRow[] {
  const plain = measured.values().next().value?.bytes ?? 0;
  return [...measured].map(([form, { bytes, encodeMicros, decodeMicros }]) => ({
    benchmark: 'compression',
    parameters,
    what,
    form,
    per,
    bytes: bytes / count,
    ratioToPlain: plain / bytes,
    ...(encodeMicros === undefined ? {} : { encodeMicros: encodeMicros / count }),
    ...(decodeMicros === undefined ? {} : { decodeMicros: decodeMicros / count }),
  }));
}

function blockRows({ flow, blocks, book }: Sample, blockSize: number, rounds: Rounds): SizeRow[] {
  const count = blocks.reduce((sum, { block }) => sum + block.transactions.length, 0);
  const parameters = { flow: flow.name, blockSize };
  const { encode, decode } = zstd(1);
  const bodies = blocks.map(({ block }) => block);
  const rowsOf = (block: Block): Uint8Array => encodeBlock(block);
  const own = (block: Block): Block => block;
  // Each block finds the addresses of those before it.
  const books = new Map<Block, MapBook>();
  let addresses: Address[] = [];
  for (const block of bodies) {
    const grown = new MapBook();
    grown.add(Array.from({ length: book.size }, (_, i) => book.addressOf(i) as Address));
    grown.add(addresses);
    books.set(block, grown);
    addresses = [...addresses, ...newAddresses(encodeColumns(block, grown))];
  }
  const last = new MapBook();
  last.add([...Array.from({ length: book.size }, (_, i) => book.addressOf(i) as Address), ...addresses]);

  const forms: readonly Form<Block>[] = [
    { name: 'rows', encode: rowsOf, decode: decodeBlock, decoded: own },
    { name: 'rows, zstd', encode: (block) => encode(encodeBlock(block)), decode: (bytes) => decodeBlock(decode(bytes)), decoded: own },
    { name: 'columns', encode: (block) => encodeColumns(block), decode: (bytes) => decodeColumns(bytes), decoded: own },
    {
      name: 'columns, zstd',
      encode: (block) => packBody(block, NO_BOOK).packed,
      decode: (bytes) => unpackBody(bytes, NO_BOOK),
      decoded: rowsOf,
    },
    {
      name: 'columns, zstd, book',
      encode: (block) => packBody(block, books.get(block) as MapBook).packed,
      decode: (bytes) => unpackBody(bytes, last),
      decoded: rowsOf,
    },
  ];
  const alone = bodies.reduce(
    (sum, { transactions }) => sum + transactions.reduce((bytes, each) => bytes + encodeTransaction(each).length, 0),
    0,
  );
  const body = new Map<string, Measured>([
    ['each alone', { bytes: alone }],
    ['kernel', { bytes: blocks.reduce((sum, { kernelBytes }) => sum + kernelBytes, 0) }],
    ...forms.map((form) => [form.name, measure(bodies, form, rounds)] as const),
  ]);
  const bytesForms = (packed: readonly Form<Uint8Array>[], values: readonly Uint8Array[]) =>
    new Map<string, Measured>([
      ['plain', { bytes: values.reduce((sum, { length }) => sum + length, 0) }],
      ...packed.map((form) => [form.name, measure(values, form, rounds)] as const),
    ]);
  const same = (bytes: Uint8Array): Uint8Array => bytes;
  const compressed: Form<Uint8Array> = { name: 'zstd', encode, decode: (bytes) => new Uint8Array(decode(bytes)), decoded: same };
  const inColumns: Form<Uint8Array> = { name: 'columns, zstd', encode: packReceipts, decode: unpackReceipts, decoded: same };
  const receipts = bytesForms(
    [compressed, inColumns],
    blocks.map((entry) => entry.receipts),
  );
  const lists = bytesForms(
    [compressed],
    blocks.map(({ list }) => list),
  );
  return [
    ...sizeRows(parameters, 'body', 'transaction', count, body),
    ...sizeRows(parameters, 'receipts', 'transaction', count, receipts),
    ...sizeRows(parameters, 'access list', 'transaction', count, lists),
  ];
}

/** Records in rows, one behind the other. */
function recordRows(records: Sample['records']): Buffer {
  return Buffer.concat(
    records.flatMap(({ key, value }) => [Buffer.of(key.length), key, Buffer.of(value.length & 255, value.length >> 8), value]),
  );
}

function stateRows({ flow, records, payloadBytes }: Sample, blockSize: number): SizeRow[] {
  const accounts = records.filter(({ key }) => key[0] === ACCOUNT_CLASS).length;
  const tree = new SortedTree(records);
  const started = performance.now();
  const { chunks } = packChunks(tree);
  const encodeMicros = (performance.now() - started) * 1000;
  const rows = chunks.map((_, i) => recordRows(tree.records.slice(...chunkRange(chunks, i))));
  const sum = (parts: readonly { readonly length: number }[]): number => parts.reduce((total, { length }) => total + length, 0);
  const measured = new Map<string, Measured>([
    ['plain', { bytes: sum(rows) }],
    ['whole payloads', { bytes: payloadBytes }],
    ['zstd', { bytes: sum(rows.map(zstd(3).encode)) }],
    ['columns', { bytes: chunks.reduce((total, { bytes }) => total + bytes, 0) }],
    ['columns, zstd', { bytes: chunks.reduce((total, { packedBytes }) => total + packedBytes, 0), encodeMicros }],
  ]);
  return sizeRows({ flow: flow.name, blockSize }, 'snapshot', 'account', accounts, measured);
}

function chunkRange(chunks: readonly { readonly records: number }[], index: number): [from: number, to: number] {
  const from = chunks.slice(0, index).reduce((sum, { records }) => sum + records, 0);
  return [from, from + (chunks[index]?.records ?? 0)];
}

export const compression: Benchmark = {
  name: 'compression',
  title: 'Bytes on disk',
  description:
    'Blocks and snapshots of three flows, in rows and in columns: bytes of a transaction and of an account, and micros to encode and decode them. The plain form of a body is its transactions encoded one by one.',
  async run(settings: BenchSettings, progress) {
    const transactions = Math.min(settings.commands, settings.quick ? QUICK_TRANSACTIONS : TRANSACTIONS);
    const sizes: SizeRow[] = [];
    const notes: string[] = [];
    const blockSizes = [settings.blockSize, Math.max(1, Math.floor(settings.blockSize / SMALLER))];
    for (const [at, blockSize] of blockSizes.entries()) {
      const recorded = await recordedFlow(settings.dataFolder, blockSize, transactions, settings.seed);
      if (recorded === undefined && at === 0) {
        notes.push(
          `compression: no recordings in ${settings.dataFolder}/market, the recorded market is left out (--data names the folder)`,
        );
      }
      const flows = [
        loadFlow(blockSize, transactions, settings.seed),
        generatedFlow(blockSize, transactions, settings.seed),
        ...(recorded === undefined ? [] : [recorded]),
      ];
      for (const [done, flow] of flows.entries()) {
        progress(`compression, ${flow.name}, blocks of ${blockSize.toLocaleString('en')}`, done, flows.length);
        const sampled = await sample(flow, transactions / 3);
        sizes.push(...blockRows(sampled, blockSize, settings));
        if (at === 0) sizes.push(...stateRows(sampled, blockSize));
      }
    }
    return { rows: [], latencies: [], sizes, notes };
  },
};
