/** Numbers of a feed: whatever a node forgets and however often it starts anew, each number is delivered once or reported as missing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Gap, StreamPosition } from './stream-position.ts';

test('one connection: snapshots have no number, repeats are told, holes are gaps', () => {
  const position = new StreamPosition();
  assert.deepEqual(position.resume(), {});
  assert.equal(position.subscribed('a', 4), undefined);
  assert.deepEqual(position.arrived(4), { kind: 'snapshot' });
  assert.deepEqual(position.arrived(5), { kind: 'message' });
  assert.deepEqual(position.arrived(3), { kind: 'duplicate' });
  assert.deepEqual(position.arrived(9), { kind: 'message', gap: { fromSeq: 6, toSeq: 8 } });
  assert.deepEqual(position.resume(), { fromSeq: 10, feed: 'a' });
});

test('a connection anew', () => {
  const at = (): StreamPosition => {
    const position = new StreamPosition();
    position.subscribed('a', 0);
    position.arrived(1);
    return position;
  };
  assert.equal(at().subscribed('a', 1), undefined);
  assert.deepEqual(at().subscribed('a', 2), { fromSeq: 2, toSeq: 2 });
  assert.deepEqual(at().subscribed('a', 7), { fromSeq: 2, toSeq: 7 });
  assert.deepEqual(at().subscribed('b', 1), { fromSeq: 2, toSeq: undefined });
  assert.deepEqual(at().subscribed(undefined, undefined), { fromSeq: 2, toSeq: undefined });
  const further = at();
  assert.equal(further.subscribed('a', 0), undefined);
  assert.deepEqual(further.arrived(1), { kind: 'snapshot' });
  assert.deepEqual(further.arrived(2), { kind: 'message' });
});

test('a node that does not number', () => {
  const position = new StreamPosition();
  assert.equal(position.subscribed(undefined, undefined), undefined);
  assert.deepEqual(position.arrived(undefined), { kind: 'message' });
  assert.deepEqual(position.resume(), {});
  assert.deepEqual(position.subscribed(undefined, undefined), { fromSeq: undefined, toSeq: undefined });
});

test('each number is delivered once or missing, over any sequence of events', () => {
  const events = fc.array(fc.constantFrom('message', 'message', 'message', 'drop', 'forget', 'lose', 'restart'), { maxLength: 60 });
  fc.assert(
    fc.property(events, (sequence) => {
      const position = new StreamPosition();
      let feed = 1;
      let seq = 0;
      let keptFrom = 1;
      const seen: number[] = [];
      const missing = new Set<number>();
      let restarted = false;
      const report = (gap: Gap | undefined): void => {
        if (gap === undefined) return;
        if (gap.toSeq === undefined) restarted = true;
        else for (let number = gap.fromSeq ?? 1; number <= gap.toSeq; number++) missing.add(number);
      };
      const deliver = (number: number): void => {
        const { kind, gap } = position.arrived(number);
        report(gap);
        if (kind === 'message') seen.push(number);
      };
      const connect = (): void => {
        const { fromSeq, feed: asked } = position.resume();
        const isKept = asked === String(feed) && fromSeq !== undefined && fromSeq >= keptFrom;
        report(position.subscribed(String(feed), isKept ? fromSeq - 1 : seq));
        if (isKept) for (let number = fromSeq; number <= seq; number++) deliver(number);
        else deliver(seq); // a snapshot
        if (restarted) {
          seen.length = 0;
          missing.clear();
          for (let number = 1; number <= seq; number++) missing.add(number);
          restarted = false;
        }
      };
      connect();
      let isConnected = true;
      for (const event of sequence) {
        if (event === 'drop') isConnected = false;
        else if (event === 'forget') keptFrom = seq + 1;
        else if (event === 'restart') {
          [feed, seq, keptFrom, isConnected] = [feed + 1, 0, 1, false];
        } else {
          seq++;
          if (isConnected && event === 'message') deliver(seq);
          if (!isConnected && event === 'message') {
            connect();
            isConnected = true;
          }
        }
      }
      connect();
      const numbers = [...seen, ...missing].sort((a, b) => a - b);
      assert.deepEqual(
        numbers,
        Array.from({ length: seq }, (_, i) => i + 1),
      );
      assert.deepEqual(
        seen,
        [...seen].sort((a, b) => a - b),
      );
    }),
    { numRuns: 1000 },
  );
});
