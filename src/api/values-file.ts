/**
 * What accounts were worth over time, in a file of the node's folder: no block has it, so a start could not make it again.
 *
 * It is written now and then, and by an ordered stop. After another end the points since the last write are missing; profits go on exactly, as
 * far as the blocks since then are read again (src/views/views.ts).
 * Its bytes are made between other things, a step in each turn of the event loop: no order waits for more than a step. A worker would have to be given a
 * copy first, which takes as long as the bytes.
 * Invariant: what is in the file is of one height, whatever blocks came while it was made; a file that cannot be read or written costs nothing but history.
 */
import { setImmediate } from 'node:timers/promises';
import { HeddleError } from '../base/errors.ts';
import { type Disk, readFile, replaceFile } from '../storage/index.ts';
import { decodeValues, encodeValues, type KeptValues, type ValuesToKeep } from '../views/index.ts';

export const VALUES_FILE = 'account-values';

/** Undefined: there is none, or none that can be read and used; then `refused` is told why. */
export async function readValues(disk: Disk, chainId: Uint8Array, refused: (why: string) => void): Promise<KeptValues | undefined> {
  try {
    const bytes = await readFile(disk, VALUES_FILE);
    return bytes && decodeValues(bytes, chainId);
  } catch (error) {
    if (!(error instanceof HeddleError)) throw error;
    refused(error.message);
    return undefined;
  }
}

export interface ValuesFileOptions {
  readonly disk: Disk;
  readonly chainId: Uint8Array;
  readonly values: () => ValuesToKeep;
  readonly onError: (error: unknown) => void;
}

export class ValuesFile {
  private readonly options: ValuesFileOptions;
  private writing: Promise<void> = Promise.resolve();
  private writtenHeight = 0;

  constructor(options: ValuesFileOptions) {
    this.options = options;
  }

  /** Writes what there is by now, one write at a time; nothing if no block has come since the last one. */
  save(): Promise<void> {
    this.writing = this.writing.then(() => this.write());
    return this.writing;
  }

  private async write(): Promise<void> {
    const { disk, chainId, values, onError } = this.options;
    const kept = values();
    if (kept.height === this.writtenHeight) return;
    try {
      const steps = encodeValues(kept, chainId);
      let step = steps.next();
      for (; !step.done; step = steps.next()) await setImmediate();
      await replaceFile(disk, VALUES_FILE, step.value);
      this.writtenHeight = kept.height;
    } catch (error) {
      onError(error);
    }
  }
}
