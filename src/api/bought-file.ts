/**
 * The requests that addresses have bought, in a file of the node's folder: they were paid for, so they outlive the process.
 *
 *   bought-requests.json   {"0x...": {"used": 12, "reserved": 2000}}
 *
 * Invariant: when `save` has resolved, what had been bought when it was called is on disk. What was used is as of the last save.
 * Not here: what addresses use that have bought nothing; that starts anew with the process.
 */
import { HeddleError } from '../base/errors.ts';
import { type Disk, readFile, replaceFile } from '../storage/index.ts';
import { asObject, naturalAt } from './json-input.ts';
import { MalformedRequest } from './malformed-request.ts';
import type { BoughtRequests } from './rate-limits.ts';

export const BOUGHT_FILE = 'bought-requests.json';

const ADDRESS = /^0x[0-9a-f]{40}$/;

/** Throws BAD_BUDGETS, and the errors of disks. */
export async function readBought(disk: Disk): Promise<Map<string, BoughtRequests>> {
  const bytes = await readFile(disk, BOUGHT_FILE);
  return bytes === undefined ? new Map() : decodeBought(new TextDecoder().decode(bytes));
}

function decodeBought(text: string): Map<string, BoughtRequests> {
  try {
    const users = Object.entries(asObject(JSON.parse(text), 'the file'));
    return new Map(
      users.map(([user, value]) => {
        if (!ADDRESS.test(user)) throw new MalformedRequest(`${user} is no address`);
        const entry = asObject(value, user);
        return [user, { used: naturalAt(entry, 'used'), reserved: naturalAt(entry, 'reserved') }];
      }),
    );
  } catch (cause) {
    throw new HeddleError(
      'BAD_BUDGETS',
      `${BOUGHT_FILE} of the node's folder is damaged (${(cause as Error).message}): put it back from a copy, or remove it and what addresses have bought is forgotten`,
      { cause },
    );
  }
}

export class BoughtFile {
  private readonly disk: Disk;
  private readonly bought: () => ReadonlyMap<string, BoughtRequests>;
  private writing: Promise<void> | undefined;
  private next: Promise<void> | undefined;

  constructor(disk: Disk, bought: () => ReadonlyMap<string, BoughtRequests>) {
    this.disk = disk;
    this.bought = bought;
  }

  /** One write at a time; who comes meanwhile shares the one after it. Rejects with the errors of disks. */
  save(): Promise<void> {
    if (this.next !== undefined) return this.next;
    const { writing } = this;
    if (writing === undefined) return this.write();
    const next = writing.then(
      () => this.write(),
      () => this.write(),
    );
    this.next = next;
    return next;
  }

  private write(): Promise<void> {
    this.next = undefined;
    const text = JSON.stringify(Object.fromEntries(this.bought()));
    const written = replaceFile(this.disk, BOUGHT_FILE, new TextEncoder().encode(text)).finally(() => {
      if (this.writing === written) this.writing = undefined;
    });
    this.writing = written;
    return written;
  }
}
