/**
 * A disk in memory that can lose power and fail on command.
 *
 * It keeps what was written apart from what was flushed. `crash` gives the disk as the machine finds it after a loss of power: every sector
 * that was written since the last flush holds what it held at some moment since then (or, where the file has grown, anything), the file's
 * length is one that it had since then, and names were changed or not. That is more than most file systems leave, and what POSIX allows.
 * `trace` lists every change and flush, and `replay` makes the disk as it was after the first of them, so that tests can cut at each.
 *
 * Not here: sectors that are torn inside, and damage to what was flushed (`damage` is for tests that want it).
 */
import type { Random } from '../base/random.ts';
import type { Disk, DiskFile } from './disk.ts';
import { diskError, StorageError } from './storage-error.ts';

const SECTOR = 512;

/** A change or a flush. `file` counts the files in the order of their creation. */
export type DiskStep =
  | { readonly step: 'create'; readonly name: string }
  | { readonly step: 'append'; readonly file: number; readonly bytes: Uint8Array }
  | { readonly step: 'truncate'; readonly file: number; readonly size: number }
  | { readonly step: 'sync'; readonly file: number }
  | { readonly step: 'rename'; readonly from: string; readonly to: string }
  | { readonly step: 'remove'; readonly name: string }
  | { readonly step: 'syncFolder' };

type Operation = DiskStep['step'] | 'open' | 'read' | 'list';

interface Fault {
  readonly operation: Operation;
  readonly code: 'ENOSPC' | 'EIO' | 'EACCES';
  skip: number;
}

/** A change of content since the last flush: bytes from `at` on, or with `bytes` undefined the end of the file moved down to `at`. */
interface Change {
  readonly at: number;
  readonly bytes: Uint8Array | undefined;
  readonly sizeBefore: number;
}

/** A file's content, under whatever name. Buffers may be longer than the content; what is behind it is zero. */
interface Content {
  readonly number: number;
  now: Uint8Array;
  size: number;
  /** As of the last flush. */
  durable: Uint8Array;
  durableSize: number;
  changes: Change[];
}

export class SimulatedDisk implements Disk {
  readonly trace: DiskStep[] = [];
  private names = new Map<string, Content>();
  private durableNames = new Map<string, Content>();
  /** Changes of names since the last flush of the folder: name to content, or to nothing. */
  private nameChanges: (readonly (readonly [name: string, content: Content | undefined])[])[] = [];
  private readonly contents: Content[] = [];
  private faults: Fault[] = [];
  private locked = false;

  static replay(steps: Iterable<DiskStep>): SimulatedDisk {
    const disk = new SimulatedDisk();
    for (const step of steps) disk.apply(step);
    return disk;
  }

  /** The next operation of this kind fails, after `skip` that do not. A failing write writes a part, a failing flush flushes a part. */
  fail(operation: Operation, code: Fault['code'], skip = 0): void {
    this.faults.push({ operation, code, skip });
  }

  /** The disk after a loss of power; this one stays as it is. */
  crash(random: Random): SimulatedDisk {
    const left = new SimulatedDisk();
    const copies = new Map<Content, Content>();
    const names = keptNames(this.durableNames, this.nameChanges, random);
    for (const [name, content] of names) {
      const copy = copies.get(content) ?? left.add(this.contentAfterCrash(content, random));
      copies.set(content, copy);
      left.names.set(name, copy);
      left.durableNames.set(name, copy);
    }
    return left;
  }

  /** The process ended and the machine goes on: what was written is there, flushed or not. This disk stays as it is. */
  restart(): SimulatedDisk {
    const next = new SimulatedDisk();
    for (const content of this.contents) {
      const { now, durable, changes } = content;
      next.contents.push({ ...content, now: now.slice(), durable: durable.slice(), changes: [...changes] });
    }
    const copyOf = (content: Content): Content => next.contents[content.number] as Content;
    next.names = new Map([...this.names].map(([name, content]) => [name, copyOf(content)]));
    next.durableNames = new Map([...this.durableNames].map(([name, content]) => [name, copyOf(content)]));
    next.nameChanges = this.nameChanges.map((change) => change.map(([name, content]) => [name, content && copyOf(content)] as const));
    return next;
  }

  /** Changes flushed bytes of a file behind everybody's back. */
  damage(name: string, change: (bytes: Uint8Array) => Uint8Array): void {
    const content = this.named(name);
    const bytes = change(content.now.slice(0, content.size));
    Object.assign(content, { now: bytes, size: bytes.length, durable: bytes.slice(), durableSize: bytes.length, changes: [] });
  }

  content(name: string): Uint8Array {
    const { now, size } = this.named(name);
    return now.slice(0, size);
  }

  async lock(): Promise<void> {
    if (this.locked) throw new StorageError('FOLDER_LOCKED', 'the simulated folder is in use');
    this.locked = true;
  }

  async unlock(): Promise<void> {
    this.locked = false;
  }

  async list(): Promise<string[]> {
    this.meetFault('list');
    return [...this.names.keys()].sort();
  }

  async create(name: string): Promise<DiskFile> {
    this.meetFault('create');
    if (this.names.has(name)) throw diskError(new Error(`${name} exists`), 'creating a simulated file');
    this.apply({ step: 'create', name });
    return this.file(this.named(name));
  }

  async open(name: string): Promise<DiskFile> {
    this.meetFault('open');
    return this.file(this.named(name));
  }

  async rename(from: string, to: string): Promise<void> {
    this.meetFault('rename');
    this.apply({ step: 'rename', from, to });
  }

  async remove(name: string): Promise<void> {
    this.meetFault('remove');
    this.apply({ step: 'remove', name });
  }

  async syncFolder(): Promise<void> {
    this.meetFault('syncFolder');
    await turn();
    this.apply({ step: 'syncFolder' });
  }

  private file(content: Content): DiskFile {
    const disk = this;
    const file = content.number;
    return {
      get size() {
        return content.size;
      },
      async read(at, length) {
        disk.meetFault('read');
        return content.now.slice(at, Math.min(at + length, content.size));
      },
      async append(bytes) {
        const fault = disk.fault('append');
        const written = fault === undefined ? bytes : bytes.subarray(0, Math.floor(bytes.length / 3));
        if (written.length > 0) disk.apply({ step: 'append', file, bytes: written.slice() });
        if (fault !== undefined) throw fault;
      },
      async truncate(size) {
        disk.meetFault('truncate');
        disk.apply({ step: 'truncate', file, size });
      },
      async sync() {
        const fault = disk.fault('sync');
        await turn();
        if (fault === undefined) return disk.apply({ step: 'sync', file });
        // What a system does then: the pages count as clean, whether they were written or not.
        content.changes = content.changes.filter((_, i) => i % 2 === 0);
        settle(content);
        throw fault;
      },
      async close() {},
    };
  }

  /** Does a step of a trace again. */
  redo(step: DiskStep): void {
    this.apply(step);
  }

  private apply(step: DiskStep): void {
    this.trace.push(step);
    switch (step.step) {
      case 'create':
        this.rewire([[step.name, this.add(new Uint8Array())]]);
        break;
      case 'append': {
        const content = this.contents[step.file] as Content;
        content.changes.push({ at: content.size, bytes: step.bytes, sizeBefore: content.size });
        content.now = grown(content.now, content.size + step.bytes.length);
        content.now.set(step.bytes, content.size);
        content.size += step.bytes.length;
        break;
      }
      case 'truncate': {
        const content = this.contents[step.file] as Content;
        content.changes.push({ at: step.size, bytes: undefined, sizeBefore: content.size });
        content.now.fill(0, step.size, content.size);
        content.size = step.size;
        break;
      }
      case 'sync':
        settle(this.contents[step.file] as Content);
        break;
      case 'rename':
        this.rewire([
          [step.from, undefined],
          [step.to, this.named(step.from)],
        ]);
        break;
      case 'remove':
        this.rewire([[step.name, undefined]]);
        break;
      case 'syncFolder':
        this.durableNames = new Map(this.names);
        this.nameChanges = [];
        break;
    }
  }

  /** A content that is durable as it is. */
  private add(bytes: Uint8Array): Content {
    const content = { now: bytes, size: bytes.length, durable: bytes.slice(), durableSize: bytes.length, changes: [] };
    return this.contents[this.contents.push({ number: this.contents.length, ...content }) - 1] as Content;
  }

  private rewire(change: readonly (readonly [string, Content | undefined])[]): void {
    for (const [name, content] of change) setName(this.names, name, content);
    this.nameChanges.push(change);
  }

  private named(name: string): Content {
    const content = this.names.get(name);
    if (content === undefined)
      throw diskError(Object.assign(new Error(`${name} does not exist`), { code: 'ENOENT' }), 'opening a simulated file');
    return content;
  }

  private meetFault(operation: Operation): void {
    const fault = this.fault(operation);
    if (fault !== undefined) throw fault;
  }

  private fault(operation: Operation): StorageError | undefined {
    const fault = this.faults.find((candidate) => candidate.operation === operation);
    if (fault === undefined || fault.skip-- > 0) return undefined;
    this.faults.splice(this.faults.indexOf(fault), 1);
    return diskError(Object.assign(new Error(`simulated ${fault.code}`), { code: fault.code }), operation);
  }

  /** Chooses for the file's length and for each sector how many of the changes reached it. */
  private contentAfterCrash({ changes, durable, durableSize }: Content, random: Random): Uint8Array {
    if (changes.length === 0) return durable.slice(0, durableSize);
    const way = random.weighted({ nothing: 1, everything: 1, prefix: 2, mixed: 4 });
    const most = way === 'nothing' ? 0 : way === 'everything' ? changes.length : random.below(changes.length + 1);
    const reached = (): number => (way === 'mixed' ? random.below(changes.length + 1) : most);
    const left = new Uint8Array([durableSize, ...changes.map(sizeAfter)][reached()] as number);
    left.set(durable.subarray(0, Math.min(durableSize, left.length)));
    for (let start = 0; start < left.length; start += SECTOR) {
      const end = Math.min(start + SECTOR, left.length);
      const touching = changes.map((change) => start < Math.max(change.sizeBefore, sizeAfter(change)) && change.at < end);
      const lastReached = reached();
      let written = false;
      for (let i = 0; i < lastReached; i++) {
        if (!touching[i]) continue;
        applyTo(left, changes[i] as Change, start, end);
        written = true;
      }
      // Blocks that were added to the file and never written show what they held before.
      if (!written && start >= durableSize && random.chance(0.5)) left.set(this.staleSector(random).subarray(0, end - start), start);
    }
    return left;
  }

  private staleSector(random: Random): Uint8Array {
    const other = this.contents[random.below(this.contents.length)] as Content;
    const sectors = Math.floor(other.size / SECTOR);
    if (sectors === 0 || random.chance(0.3)) return Uint8Array.from({ length: SECTOR }, () => random.below(256));
    const sector = random.below(sectors);
    return other.now.subarray(sector * SECTOR, (sector + 1) * SECTOR);
  }
}

/** The change, as far as it lies between two places. */
function applyTo(bytes: Uint8Array, change: Change, start: number, end: number): void {
  const from = Math.max(change.at, start);
  const to = Math.min(change.bytes === undefined ? end : change.at + change.bytes.length, end);
  if (from >= to) return;
  if (change.bytes === undefined) bytes.fill(0, from, to);
  else bytes.set(change.bytes.subarray(from - change.at, to - change.at), from);
}

/** The changes are durable now. */
function settle(content: Content): void {
  for (const change of content.changes) {
    const size = sizeAfter(change);
    content.durable = grown(content.durable, size);
    applyTo(content.durable, change, 0, content.durable.length);
    content.durableSize = size;
  }
  content.changes = [];
}

function sizeAfter({ at, bytes }: Change): number {
  return at + (bytes?.length ?? 0);
}

function grown(bytes: Uint8Array, size: number): Uint8Array {
  if (bytes.length >= size) return bytes;
  const larger = new Uint8Array(Math.max(size, bytes.length * 2));
  larger.set(bytes);
  return larger;
}

function keptNames(
  durable: ReadonlyMap<string, Content>,
  changes: readonly (readonly (readonly [string, Content | undefined])[])[],
  random: Random,
): Map<string, Content> {
  const names = new Map(durable);
  const way = random.weighted({ prefix: 1, mixed: 2 });
  const prefix = random.below(changes.length + 1);
  changes.forEach((change, i) => {
    if (way === 'prefix' ? i >= prefix : random.chance(0.5)) return;
    for (const [name, content] of change) setName(names, name, content);
  });
  return names;
}

function setName(names: Map<string, Content>, name: string, content: Content | undefined): void {
  if (content === undefined) names.delete(name);
  else names.set(name, content);
}

/** Flushes take a while: others come in between. */
function turn(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}
