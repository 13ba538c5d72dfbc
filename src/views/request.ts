/**
 * Fields of a request, checked one by one. What does not fit is a MalformedRequest, which servers turn into HTTP 422 with its text, as the
 * protocol does for a body that does not deserialise.
 */
import { HeddleError } from '../base/errors.ts';
import type { Address } from '../ledger/transactions.ts';
import { INTERVALS, type Interval } from './candles.ts';

export class MalformedRequest extends HeddleError {
  constructor() {
    super('MALFORMED_REQUEST', 'Failed to deserialize the JSON body into the target type');
  }
}

const ADDRESS = /^0x[0-9a-f]{40}$/i;
const CLOID = /^0x[0-9a-f]{32}$/i;

export class RequestFields {
  readonly type: string;
  private readonly fields: Readonly<Record<string, unknown>>;

  constructor(request: unknown) {
    this.fields = objectOf(request);
    const { type } = this.fields;
    if (typeof type !== 'string') throw new MalformedRequest();
    this.type = type;
  }

  /** The fields of an object inside. */
  inner(name: string): RequestFields {
    return new RequestFields({ type: this.type, ...objectOf(this.own(name)) });
  }

  private own(name: string): unknown {
    return Object.hasOwn(this.fields, name) ? this.fields[name] : undefined;
  }

  /** Lower-case. */
  address(name = 'user'): Address {
    const value = this.own(name);
    if (typeof value !== 'string' || !ADDRESS.test(value)) throw new MalformedRequest();
    return value.toLowerCase();
  }

  optionalAddress(name: string): Address | undefined {
    const value = this.own(name);
    return value === undefined || value === null ? undefined : this.address(name);
  }

  text(name: string): string {
    const value = this.own(name);
    if (typeof value !== 'string') throw new MalformedRequest();
    return value;
  }

  optionalText(name: string): string | undefined {
    const value = this.own(name);
    return value === undefined || value === null ? undefined : this.text(name);
  }

  /** An integer from 0 on. */
  integer(name: string): number {
    const value = this.own(name);
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new MalformedRequest();
    return value;
  }

  optionalInteger(name: string): number | undefined {
    const value = this.own(name);
    return value === undefined || value === null ? undefined : this.integer(name);
  }

  flag(name: string): boolean {
    const value = this.own(name);
    if (value === undefined || value === null) return false;
    if (typeof value !== 'boolean') throw new MalformedRequest();
    return value;
  }

  interval(): Interval {
    const value = this.own('interval');
    const interval = INTERVALS.find((known) => known === value);
    if (interval === undefined) throw new MalformedRequest();
    return interval;
  }

  /** An order: its number, or its client id in lower case. */
  oid(): bigint | string {
    const value = this.own('oid');
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value);
    if (typeof value === 'string' && CLOID.test(value)) return value.toLowerCase();
    throw new MalformedRequest();
  }

  /** A first time and a last one, in ms; without it there is no end. */
  times(startIsOptional = false): { readonly fromMs: number; readonly toMs: number } {
    const fromMs = startIsOptional ? (this.optionalInteger('startTime') ?? 0) : this.integer('startTime');
    return { fromMs, toMs: this.optionalInteger('endTime') ?? Number.MAX_SAFE_INTEGER };
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new MalformedRequest();
  return value as Readonly<Record<string, unknown>>;
}
