/**
 * The ordered blocks on disk, before anything in them is confirmed: recovery is re-execution of what is here.
 *
 * Invariant: once `append` has resolved, `read` gives the blocks back, byte for byte, whenever the process or the machine stops after that;
 * or opening says what is damaged. Never another block, never one twice, never one out of order.
 *
 * One group is on its way at a time: appends that come while it is written and flushed form the next one, so the number of flushes
 * follows the disk and not the number of blocks. Behind the last group for now a mark is written, without a flush, that it was flushed
 * (journal-format.ts); closing flushes a mark. Segments begin with a header that was flushed before the segment got its name.
 *
 * After a write or a flush has failed the journal takes nothing more: after a failed flush the system may hold as clean what it has lost.
 * What was not confirmed is cut off, and the process has to start anew.
 *
 * Not here: what is in a block (`encodeBlock` of the ledger makes the bodies), and executing it.
 */
import { randomBytes } from 'node:crypto';
import { assert } from '../base/assert.ts';
import { compress } from './compression.ts';
import type { Disk, DiskFile } from './disk.ts';
import {
  BODY_BYTES_MAX,
  ENTRY_HEADER_BYTES,
  entryBytes,
  type Payload,
  readBody,
  readSegmentHeader,
  type Scan,
  SEGMENT_HEADER_BYTES,
  scanSegment,
  segmentHeader,
  writeEntry,
} from './journal-format.ts';
import { diskError, StorageError } from './storage-error.ts';

export interface JournalBlock {
  readonly number: number;
  /** At most 256 MiB. */
  readonly body: Uint8Array;
}

export interface JournalOptions {
  /** Hash of the genesis, 32 bytes. */
  readonly chainId: Uint8Array;
  /** A new segment is begun when one has reached this; default 64 MiB. */
  readonly segmentBytes?: number;
  /** Number of the block that a new journal follows on; default 0. */
  readonly after?: number;
  /** A block that is known to have been confirmed, as the store's height is: that it is missing is damage, not a torn tail. */
  readonly confirmed?: number;
}

/** A tail that opening has cut off: a group whose flush had not returned. */
export interface CutTail {
  readonly segment: string;
  readonly offset: number;
  readonly bytes: number;
  readonly reason: string;
}

interface Segment {
  readonly name: string;
  readonly first: number;
  readonly seed: number;
  /** Of the entries; those of blocks that are being written are not in it yet. */
  readonly offsets: number[];
  /** Up to here blocks can be read and are on disk. */
  end: number;
}

interface Waiting {
  readonly payloads: readonly Payload[];
  readonly resolve: () => void;
  readonly reject: (error: StorageError) => void;
}

const SEGMENT_BYTES = 64 * 2 ** 20;
/** A group is not made longer than this, so that its buffer and its flush stay bounded. */
const GROUP_BYTES = 16 * 2 ** 20;
/** What `read` takes from the disk at once, at least. */
const READ_BYTES = 2 ** 20;
const NAME = /^journal-(\d{16})\.log$/;
const UNFINISHED = /^journal-\d{16}\.log\.new$/;

export class Journal {
  /** What opening has cut off, for the operator's log. */
  readonly cutTail: CutTail | undefined;
  private readonly disk: Disk;
  private readonly options: JournalOptions;
  private segments: Segment[];
  private file: DiskFile;
  /** Number of the next block. */
  private next: number;
  private waiting: Waiting[] = [];
  private writing: Promise<void> | undefined;
  private pruning: Promise<void> = Promise.resolve();
  private stopped: StorageError | undefined;
  private closed = false;

  private constructor(disk: Disk, options: JournalOptions, { segments, file, cutTail }: OpenedFolder) {
    this.disk = disk;
    this.options = options;
    this.segments = segments;
    this.file = file;
    this.cutTail = cutTail;
    this.next = this.last + 1;
  }

  /**
   * Takes the folder and verifies all of it. Throws FOLDER_LOCKED, WRONG_CHAIN, WRONG_VERSION, JOURNAL_DAMAGED, JOURNAL_GAP and the
   * errors of disks; blocks have not been changed then.
   */
  static async open(disk: Disk, options: JournalOptions): Promise<Journal> {
    assert(options.chainId.length === 32, `a chain id of ${options.chainId.length} bytes`);
    await disk.lock();
    try {
      return new Journal(disk, options, await openFolder(disk, options));
    } catch (error) {
      await disk.unlock();
      throw error;
    }
  }

  /** The first block that it holds; `last + 1` if it holds none. */
  get first(): number {
    return (this.segments[0] as Segment).first;
  }

  /** The last block that is on disk. */
  get last(): number {
    const { first, offsets } = this.active;
    return first + offsets.length - 1;
  }

  private get active(): Segment {
    return this.segments.at(-1) as Segment;
  }

  /**
   * Resolves when the blocks are on disk. They follow the last one appended; their bytes may be used again at once.
   * Rejects with an error of the disk, or JOURNAL_STOPPED after one: then they are not confirmed, and may or may not be there after opening.
   */
  append(blocks: readonly JournalBlock[]): Promise<void> {
    if (this.stopped !== undefined) return Promise.reject(stoppedBy(this.stopped));
    const payloads = blocks.map(({ number, body }, i) => {
      assert(number === this.next + i, `block ${number} appended in place of ${this.next + i}`);
      assert(body.length <= BODY_BYTES_MAX, `a body of ${body.length} bytes`);
      return { number, bytes: compress(body) ?? body.slice(), bodyBytes: body.length };
    });
    this.next += payloads.length;
    if (payloads.length === 0) return Promise.resolve();
    const done = new Promise<void>((resolve, reject) => this.waiting.push({ payloads, resolve, reject }));
    this.writing ??= this.writeGroups();
    return done;
  }

  /** The blocks from `from` to the one that is last when this is called. Throws JOURNAL_PRUNED, JOURNAL_DAMAGED. */
  async *read(from: number): AsyncGenerator<JournalBlock, void, undefined> {
    if (from < this.first) throw pruned(from, this.first);
    const parts = this.segments.map((segment) => ({ segment, count: segment.offsets.length, end: segment.end }));
    for (const { segment, count, end } of parts) {
      if (segment.first + count <= from) continue;
      if (!this.segments.includes(segment)) throw pruned(segment.first, this.first);
      yield* this.readSegment(segment, Math.max(0, from - segment.first), count, end);
    }
  }

  /** Removes the segments in which all blocks are before `below`; the one that is written to stays. */
  prune(below: number): Promise<void> {
    // After an error it stays with the error: the next segment may go only when the one before is known to be gone.
    this.pruning = this.pruning.then(async () => {
      for (let second = this.segments[1]; second !== undefined && second.first <= below; second = this.segments[1]) {
        const [oldest] = this.segments as [Segment];
        this.segments = this.segments.slice(1);
        // One at a time, flushed each: of several that were removed at once a crash could leave an older one, and a gap.
        await this.disk.remove(oldest.name);
        await this.disk.syncFolder();
      }
    });
    return this.pruning;
  }

  /** Waits for what was appended, and gives the folder back. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.writing;
    await this.pruning.catch(() => undefined);
    if (this.stopped === undefined) {
      this.stopped = new StorageError('JOURNAL_STOPPED', 'the journal was closed: open it again');
      try {
        if (this.file.size === this.active.end) await this.writeMark();
        await this.file.sync();
      } catch {
        // It would have told a torn tail from damage; without it the next opening does as after a crash.
      }
    }
    await this.file.close();
    await this.disk.unlock();
  }

  private async writeGroups(): Promise<void> {
    while (this.waiting.length > 0 && this.stopped === undefined) {
      let bytes = 0;
      let count = 0;
      while (count < this.waiting.length && (count === 0 || bytes < GROUP_BYTES)) {
        for (const payload of (this.waiting[count] as Waiting).payloads) bytes += entryBytes(payload.bytes.length);
        count++;
      }
      const group = this.waiting.splice(0, count);
      try {
        await this.writeGroup(group, bytes);
        for (const { resolve } of group) resolve();
        if (this.waiting.length === 0) await this.writeMark();
      } catch (error) {
        await this.stop(diskError(error, 'writing the journal'), group);
      }
    }
    this.writing = undefined;
  }

  private async writeGroup(group: readonly Waiting[], bytes: number): Promise<void> {
    if (this.file.size >= (this.options.segmentBytes ?? SEGMENT_BYTES)) await this.beginSegment();
    const { active, file } = this;
    const place = { base: file.size, seed: active.seed, flushed: active.end };
    const buffer = new Uint8Array(bytes);
    const offsets: number[] = [];
    let at = 0;
    for (const { payloads } of group) {
      for (const payload of payloads) {
        offsets.push(place.base + at);
        at = writeEntry(buffer, at, place, payload.number, payload);
      }
    }
    await file.append(buffer);
    await file.sync();
    for (const offset of offsets) active.offsets.push(offset);
    active.end = file.size;
  }

  /** Says that everything before it was flushed. Is there for whoever opens the journal; nothing waits for it. */
  private async writeMark(): Promise<void> {
    const { active, file } = this;
    const mark = new Uint8Array(ENTRY_HEADER_BYTES);
    writeEntry(mark, 0, { base: file.size, seed: active.seed, flushed: active.end }, this.last, undefined);
    await file.append(mark);
  }

  private async beginSegment(): Promise<void> {
    // Its last mark: a segment that is followed by another one is complete.
    await this.file.sync();
    const { segment, file } = await createSegment(this.disk, this.options.chainId, this.last + 1);
    const old = this.file;
    this.segments = [...this.segments, segment];
    this.file = file;
    await old.close();
  }

  private async stop(error: StorageError, group: readonly Waiting[]): Promise<void> {
    this.stopped = error;
    try {
      // After a failed flush it would look as if it was there, to the next process of this machine, and be gone after the next power failure.
      await this.file.truncate(this.active.end);
    } catch {
      // Then opening decides what of it is there.
    }
    for (const { reject } of [...group, ...this.waiting]) reject(error);
    this.waiting = [];
  }

  private async *readSegment(segment: Segment, from: number, count: number, end: number): AsyncGenerator<JournalBlock, void, undefined> {
    const { name, first, seed, offsets } = segment;
    const file = await this.disk.open(name);
    try {
      let i = from;
      while (i < count) {
        const start = offsets[i] as number;
        let stop = i + 1;
        while (stop < count && (offsets[stop] as number) < start + READ_BYTES) stop++;
        const bytes = await file.read(start, (stop < count ? (offsets[stop] as number) : end) - start);
        for (; i < stop; i++) {
          const place = offsets[i] as number;
          const reading = readBody(bytes.subarray(place - start), place, seed, first + i);
          if ('wrong' in reading) throw damaged(name, place, reading.wrong);
          yield { number: first + i, body: reading.body };
        }
      }
    } finally {
      await file.close();
    }
  }
}

// --- Opening ----------------------------------------------------------------------------------------------------------------------

interface OpenedFolder {
  readonly segments: Segment[];
  readonly file: DiskFile;
  readonly cutTail: CutTail | undefined;
}

async function openFolder(disk: Disk, options: JournalOptions): Promise<OpenedFolder> {
  const names = await disk.list();
  const segmentNames = names.filter((name) => NAME.test(name));
  const segments: Segment[] = [];
  let cut: { offset: number; reason: string } | undefined;
  for (const [i, name] of segmentNames.entries()) {
    const { segment, scan } = await openSegment(disk, name, options.chainId);
    const before = segments.at(-1);
    const expected = before === undefined ? segment.first : before.first + before.offsets.length;
    if (segment.first !== expected) throw gap(`after block ${expected - 1} comes ${segment.first} (${name})`);
    if (scan.wrong !== undefined) {
      if (i < segmentNames.length - 1 || scan.vouched) throw damaged(name, scan.end, scan.wrong);
      cut = { offset: scan.end, reason: scan.wrong };
    }
    segments.push(segment);
  }
  const lastSegment = segments.at(-1);
  const last = lastSegment === undefined ? (options.after ?? 0) : lastSegment.first + lastSegment.offsets.length - 1;
  const confirmed = options.confirmed ?? 0;
  if (last < confirmed) {
    if (lastSegment === undefined) throw gap(`block ${confirmed} was confirmed, and there is no journal`);
    throw damaged(
      lastSegment.name,
      lastSegment.end,
      `${cut?.reason ?? 'it ends'} after block ${last}, and block ${confirmed} was confirmed`,
    );
  }
  // From here on the folder is changed: it has been understood.
  for (const name of names) if (UNFINISHED.test(name)) await disk.remove(name);
  if (lastSegment === undefined) {
    const { segment, file } = await createSegment(disk, options.chainId, last + 1);
    return { segments: [segment], file, cutTail: undefined };
  }
  const file = await disk.open(lastSegment.name);
  try {
    const bytes = file.size - lastSegment.end;
    if (cut !== undefined) await file.truncate(lastSegment.end);
    // Also without a cut: a process that was ended may have left its last group written and not flushed.
    await file.sync();
    await disk.syncFolder();
    return { segments, file, cutTail: cut && { segment: lastSegment.name, bytes, ...cut } };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function openSegment(disk: Disk, name: string, chainId: Uint8Array): Promise<{ segment: Segment; scan: Scan }> {
  const file = await disk.open(name);
  try {
    const bytes = await file.read(0, file.size);
    const header = readSegmentHeader(bytes);
    if ('damage' in header) throw damaged(name, 0, header.damage);
    if ('version' in header) {
      throw new StorageError(
        'WRONG_VERSION',
        `${name} is of version ${header.version} of the journal: open it with the release that wrote it`,
      );
    }
    if (header.chainId.some((byte, i) => byte !== chainId[i])) {
      const chain = Buffer.from(header.chainId).toString('hex');
      throw new StorageError('WRONG_CHAIN', `${name} belongs to the chain ${chain}: choose its genesis, or another folder`);
    }
    if (segmentName(header.first) !== name) throw damaged(name, 0, `it begins with block ${header.first}: it has been renamed`);
    const scan = scanSegment(bytes, header);
    return { segment: { name, first: header.first, seed: header.seed, offsets: [...scan.offsets], end: scan.end }, scan };
  } finally {
    await file.close();
  }
}

/** Its header is on disk before it has its name, and its name before anything is written to it. */
async function createSegment(disk: Disk, chainId: Uint8Array, first: number): Promise<{ segment: Segment; file: DiskFile }> {
  const name = segmentName(first);
  const { bytes, seed } = segmentHeader({ chainId, first, salt: randomBytes(4).readUInt32LE() });
  const file = await disk.create(`${name}.new`);
  try {
    await file.append(bytes);
    await file.sync();
    await disk.rename(`${name}.new`, name);
    await disk.syncFolder();
    return { segment: { name, first, seed, offsets: [], end: SEGMENT_HEADER_BYTES }, file };
  } catch (error) {
    await file.close();
    throw error;
  }
}

function segmentName(first: number): string {
  return `journal-${String(first).padStart(16, '0')}.log`;
}

// --- Errors -----------------------------------------------------------------------------------------------------------------------

function damaged(segment: string, offset: number, what: string): StorageError {
  return new StorageError(
    'JOURNAL_DAMAGED',
    `${segment} is damaged at byte ${offset} (${what}): put the folder back from a copy, or take the state from another node`,
  );
}

function gap(what: string): StorageError {
  return new StorageError(
    'JOURNAL_GAP',
    `${what}: blocks are missing; put the folder back from a copy, or take the state from another node`,
  );
}

function pruned(number: number, first: number): StorageError {
  return new StorageError('JOURNAL_PRUNED', `block ${number} has been pruned, the journal begins with ${first}: read from there`);
}

function stoppedBy(cause: StorageError): StorageError {
  if (cause.code === 'JOURNAL_STOPPED') return cause;
  return new StorageError('JOURNAL_STOPPED', `the journal has stopped after an error (${cause.message})`, { cause });
}
