import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AdmissionControl } from './admission-control.ts';

const LIMITS = { requests: 100, bytes: 10_000 };

test('one sender alone has all the room, and no more', () => {
  const control = new AdmissionControl(LIMITS, () => 0);
  const leaves = Array.from({ length: 150 }, () => control.enter('a', 10)).filter((leave) => leave !== undefined);
  assert.equal(leaves.length, 100);
  assert.equal(control.underWay, 100);
  leaves.pop()?.();
  assert.ok(control.enter('a', 10));
  assert.equal(control.enter('a', 10), undefined);
});

test('bytes are room as well: one body may go beyond it', () => {
  const control = new AdmissionControl(LIMITS, () => 0);
  assert.ok(control.enter('a', 9_999));
  assert.ok(control.enter('a', 9_999));
  assert.equal(control.enter('a', 1), undefined);
});

test('one that sends without end does not keep another out: it gives back half as its requests are answered', () => {
  const control = new AdmissionControl(LIMITS, () => 5000);
  const greedy: (() => void)[] = [];
  const fill = (): void => {
    for (let leave = control.enter('greedy', 1); leave !== undefined; leave = control.enter('greedy', 1)) greedy.push(leave);
  };
  fill();
  assert.equal(greedy.length, 100);
  assert.equal(control.enter('other', 1), undefined);
  let others = 0;
  for (let answered = 0; answered < 50; answered++) {
    greedy.pop()?.();
    fill();
    if (control.enter('other', 1) !== undefined) others++;
  }
  assert.equal(others, 50);
  assert.equal(greedy.length, 50);
});

test('who has not asked for ten seconds has no part any more', () => {
  let now = 10_000;
  const control = new AdmissionControl(LIMITS, () => now);
  control.enter('b', 1)?.();
  for (let i = 0; i < 50; i++) assert.ok(control.enter('a', 1));
  now += 5000;
  assert.equal(control.enter('a', 1), undefined);
  now += 5000;
  assert.ok(control.enter('a', 1));
});

test('what is under way is what has entered and not left, within the room', () => {
  const steps = fc.array(
    fc.record({ address: fc.constantFrom('a', 'b', 'c'), bytes: fc.nat(500), leaves: fc.boolean(), ms: fc.nat(3000) }),
  );
  fc.assert(
    fc.property(steps, (taken) => {
      let now = 0;
      const control = new AdmissionControl({ requests: 8, bytes: 1500 }, () => now);
      const inside: { readonly bytes: number; readonly leave: () => void }[] = [];
      const bytesInside = (): number => inside.reduce((sum, { bytes }) => sum + bytes, 0);
      for (const { address, bytes, leaves, ms } of taken) {
        now += ms;
        if (leaves) inside.shift()?.leave();
        const before = bytesInside();
        const leave = control.enter(address, bytes);
        if (leave !== undefined) inside.push({ bytes, leave });
        // An empty room takes anybody; a full one nobody.
        if (before === 0 && inside.length === 0) assert.fail('refused by an empty room');
        if (before >= 1500) assert.equal(leave, undefined);
        assert.equal(control.underWay, inside.length);
        assert.ok(inside.length <= 8 && bytesInside() <= 1500 + 500);
      }
      for (const { leave } of inside) leave();
      assert.equal(control.underWay, 0);
      assert.ok(control.enter('d', 1));
    }),
  );
});

test('leaving twice is a mistake of ours', () => {
  const leave = new AdmissionControl(LIMITS, () => 0).enter('a', 1);
  leave?.();
  assert.throws(() => leave?.(), { name: 'AssertionError' });
});
