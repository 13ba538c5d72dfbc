/** Rows that are taken keep what is written into them, and nobody else gets them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NO_ROW, RowSpace } from './row-space.ts';

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
