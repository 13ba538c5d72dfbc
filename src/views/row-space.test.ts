/** Rows that are taken keep what is written into them, and nobody else gets them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NO_ROW, type ReadableRows, RowSpace } from './row-space.ts';

test('a row is its own until it is given back', () => {
  fc.assert(
    fc.property(fc.integer({ min: 4, max: 24 }), fc.array(fc.nat(999), { maxLength: 1500, size: 'max' }), (rowBytes, steps) => {
      const space = new RowSpace(rowBytes);
      const held = new Map<number, number>();
      steps.forEach((step, i) => {
        const rows = [...held.keys()];
        const gone = step < 300 ? rows[step % rows.length] : undefined;
        if (gone !== undefined) {
          space.giveBack(gone);
          held.delete(gone);
          return;
        }
        const row = space.take();
        assert.notEqual(row, NO_ROW);
        assert.ok(!held.has(row), 'nobody else has it');
        for (let at = 0; at < rowBytes; at++) space.view(row).setUint8(space.at(row) + at, i & 255);
        held.set(row, i & 255);
      });
      for (const [row, value] of held) {
        for (let at = 0; at < rowBytes; at++) assert.equal(space.view(row).getUint8(space.at(row) + at), value);
      }
    }),
    { numRuns: 60 },
  );
});

test('a snapshot stays as it was, and rows go on beside it', () => {
  const steps = fc.array(fc.record({ kind: fc.constantFrom('take', 'take', 'take', 'write', 'back', 'snapshot'), at: fc.nat(9999) }), {
    maxLength: 1200,
    size: 'max',
  });
  fc.assert(
    fc.property(steps, (taken) => {
      const space = new RowSpace(4);
      const rows = new Map<number, number>();
      const snapshots: { readonly rows: ReadableRows; readonly held: ReadonlyMap<number, number> }[] = [];
      const put = (row: number, value: number): void => {
        space.writable(row).setUint32(space.at(row), value, true);
        rows.set(row, value);
      };
      taken.forEach(({ kind, at }, i) => {
        const row = [...rows.keys()][at % Math.max(1, rows.size)];
        if (kind === 'snapshot') snapshots.push({ rows: space.snapshot(), held: new Map(rows) });
        else if (kind === 'take' || row === undefined) put(space.take(), i);
        else if (kind === 'write') put(row, i);
        else {
          space.giveBack(row);
          rows.delete(row);
        }
      });
      snapshots.push({ rows: space, held: rows });
      for (const { rows, held } of snapshots)
        for (const [row, value] of held) assert.equal(rows.view(row).getUint32(rows.at(row), true), value);
    }),
    { numRuns: 60 },
  );
});
