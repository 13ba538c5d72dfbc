/** A log keeps the newest of each owner and of all, as a list that forgets in the plainest way does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BoundedLog } from './bounded-log.ts';

interface Entry {
  readonly timeMs: number;
  readonly owner: number;
}

/** All entries in their order; what is too many goes from the front. */
class PlainLog {
  entries: Entry[] = [];
  private readonly each: number;
  private readonly all: number;

  constructor(each: number, all: number) {
    this.each = each;
    this.all = all;
  }

  push(entry: Entry): void {
    this.entries.push(entry);
    const own = this.entries.filter(({ owner }) => owner === entry.owner);
    if (own.length > this.each) this.entries.splice(this.entries.indexOf(own[0] as Entry), 1);
    if (this.entries.length > this.all) this.entries.shift();
  }

  of(owner: number): Entry[] {
    return this.entries.filter((entry) => entry.owner === owner);
  }
}

test('what is there and what is gone is as in a plain list', () => {
  const owners = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 600, size: 'max' });
  fc.assert(
    fc.property(owners, fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 90 }), (sequence, each, all) => {
      const plain = new PlainLog(each, all);
      const log = new BoundedLog<number, Entry>({ each, all });
      sequence.forEach((owner, i) => {
        const entry = { timeMs: i >> 2, owner };
        plain.push(entry);
        log.push(owner, entry);
      });
      for (let owner = 0; owner <= 5; owner++) {
        const entries = plain.of(owner);
        assert.deepEqual(log.newest(owner, 7), entries.slice(-7).reverse());
        for (const [from, to, most] of [
          [0, 1000, 1000],
          [10, 60, 5],
          [40, 40, 100],
        ] as const) {
          const expected = entries.filter(({ timeMs }) => timeMs >= from && timeMs <= to).slice(0, most);
          assert.deepEqual(log.between(owner, from, to, most), expected);
        }
      }
    }),
    { numRuns: 60 },
  );
});
