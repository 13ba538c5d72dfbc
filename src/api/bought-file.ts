/**
 * The requests that addresses have bought, in a file of the node's folder: they were paid for, so they outlive the process.
 *
 *   bought-requests.json   {"bought": {"0x...": {"used": 12, "reserved": 2000}},
 *                           "paying": [{"transaction": "0x...", "user": "0x...", "requests": 30, "after": 17}]}
 *
 * `paying`: what was not known to be paid for yet (request-sales.ts). A file from before there was such a thing is the object of `bought` alone.
 * Invariant: when `save` has resolved, what there was when it was called is on disk, all of it of one moment. What was used is as of the last save.
 * Not here: what addresses use that have bought nothing; that starts anew with the process.
 */
import { HeddleError } from '../base/errors.ts';
import { type Disk, readFile, replaceFile } from '../storage/index.ts';
import { asObject, fieldOf, type JsonObject, naturalAt, textAt } from './json-input.ts';
import { MalformedRequest } from './malformed-request.ts';
import type { BoughtRequests } from './rate-limits.ts';

export const BOUGHT_FILE = 'bought-requests.json';

/** A purchase whose payment is on its way into a block. */
export interface Purchase {
  /** The hash of the payment. */
  readonly transaction: string;
  /** Who gets the requests. */
  readonly user: string;
  readonly requests: number;
  /** The payment is in a later block than this one, or in none. */
  readonly after: number;
}

export interface SoldRequests {
  readonly bought: ReadonlyMap<string, BoughtRequests>;
  /** At most one of a transaction. */
  readonly paying: readonly Purchase[];
}

const ADDRESS = /^0x[0-9a-f]{40}$/;
const HASH = /^0x[0-9a-f]{64}$/;

export const NOTHING_SOLD: SoldRequests = { bought: new Map(), paying: [] };

/** Throws BAD_BUDGETS, and the errors of disks. */
export async function readBought(disk: Disk): Promise<SoldRequests> {
  const bytes = await readFile(disk, BOUGHT_FILE);
  return bytes === undefined ? NOTHING_SOLD : decodeSold(new TextDecoder().decode(bytes));
}

function decodeSold(text: string): SoldRequests {
  try {
    const file = asObject(JSON.parse(text), 'the file');
    if (fieldOf(file, 'bought') === undefined) return { bought: boughtIn(file), paying: [] };
    const paying = fieldOf(file, 'paying');
    if (!Array.isArray(paying)) throw new MalformedRequest('paying is no list');
    return { bought: boughtIn(asObject(file.bought, 'bought')), paying: paying.map(purchaseIn) };
  } catch (cause) {
    throw new HeddleError(
      'BAD_BUDGETS',
      `${BOUGHT_FILE} of the node's folder is damaged (${(cause as Error).message}): put it back from a copy, or remove it and what addresses have bought is forgotten`,
      { cause },
    );
  }
}

function boughtIn(users: JsonObject): Map<string, BoughtRequests> {
  return new Map(
    Object.entries(users).map(([user, value]) => {
      const entry = asObject(value, user);
      return [addressIn(user), { used: naturalAt(entry, 'used'), reserved: naturalAt(entry, 'reserved') }];
    }),
  );
}

function purchaseIn(value: unknown): Purchase {
  const entry = asObject(value, 'a purchase');
  const transaction = textAt(entry, 'transaction');
  if (!HASH.test(transaction)) throw new MalformedRequest(`${transaction} is no hash`);
  return {
    transaction,
    user: addressIn(textAt(entry, 'user')),
    requests: naturalAt(entry, 'requests'),
    after: naturalAt(entry, 'after'),
  };
}

function addressIn(text: string): string {
  if (!ADDRESS.test(text)) throw new MalformedRequest(`${text} is no address`);
  return text;
}

export class BoughtFile {
  private readonly disk: Disk;
  private readonly sold: () => SoldRequests;
  private writing: Promise<void> | undefined;
  private next: Promise<void> | undefined;

  constructor(disk: Disk, sold: () => SoldRequests) {
    this.disk = disk;
    this.sold = sold;
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
    const { bought, paying } = this.sold();
    const text = JSON.stringify({ bought: Object.fromEntries(bought), paying });
    const written = replaceFile(this.disk, BOUGHT_FILE, new TextEncoder().encode(text)).finally(() => {
      if (this.writing === written) this.writing = undefined;
    });
    this.writing = written;
    return written;
  }
}
