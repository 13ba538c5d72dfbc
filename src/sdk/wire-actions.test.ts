/** Orders that are read at once, against reading them field by field; and where errors say that they are. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { anyOrder, readAction } from './wire-actions.ts';

/** What comes out, with the order of its keys; or the error. */
function outcome(read: () => unknown): string {
  try {
    return JSON.stringify(read());
  } catch (error) {
    return (error as Error).message;
  }
}

const odd = fc.constantFrom(null, undefined, -1, 0.5, '', 'x'.repeat(65), '\ud800', [], {}, true);
const orOdd = <T>(usual: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 12, arbitrary: usual }, { weight: 1, arbitrary: odd });
const decimalText = orOdd(fc.constantFrom('1', '3000.25', '0.5'));
const clientIds = fc.constantFrom(`0x${'0C'.repeat(16)}`, `0x${'ab'.repeat(16)}`, '0x12');
const limit = fc.record({ limit: orOdd(fc.record({ tif: orOdd(fc.constantFrom('Gtc', 'Ioc', 'Alo', 'Fok')) })) });
const trigger = fc.record({
  trigger: fc.record({ isMarket: fc.boolean(), triggerPx: decimalText, tpsl: fc.constantFrom('tp', 'sl') }, { requiredKeys: ['isMarket'] }),
});
const both = fc.tuple(limit, trigger).map(([one, other]) => ({ ...one, ...other }));
const order = fc.record(
  {
    s: decimalText,
    a: orOdd(fc.constantFrom(0, 7, -0)),
    b: orOdd(fc.boolean()),
    p: decimalText,
    r: orOdd(fc.boolean()),
    t: orOdd(fc.oneof({ weight: 6, arbitrary: limit }, { weight: 1, arbitrary: trigger }, { weight: 1, arbitrary: both })),
    c: orOdd(clientIds),
    e: fc.constantFrom(undefined, null, 17, 'x'),
    d: fc.constantFrom(undefined, null, '0.1', 1),
    m: fc.constantFrom(undefined, null, 'cancelTaker', 'x'),
    else: fc.constant(1),
  },
  { requiredKeys: ['a', 'b', 'p', 's', 'r', 't'] },
);

test('an order is the same, and as wrong, however it is read', () => {
  const seen = new Set<boolean>();
  fc.assert(
    fc.property(fc.oneof({ weight: 20, arbitrary: order }, { weight: 1, arbitrary: odd }), (value) => {
      const fields = outcome(() => anyOrder.read(value));
      const expected = fields.startsWith('{') ? `{"type":"order","orders":[${fields}]}` : `action.orders[0]${fields}`;
      assert.equal(
        outcome(() => readAction({ orders: [value], type: 'order' })),
        expected,
      );
      seen.add(fields.startsWith('{'));
    }),
    { numRuns: 3000 },
  );
  assert.equal(seen.size, 2);
});

test('an error says which field it is about', () => {
  const good = { a: 0, b: true, p: '1', s: '1', r: false, t: { limit: { tif: 'Gtc' } } };
  const told = (value: unknown): string => outcome(() => readAction(value));
  assert.equal(told({ type: 'order', orders: [good, { ...good, p: 1 }] }), 'action.orders[1].p has to be a decimal number as a text');
  assert.match(
    told({ type: 'order', orders: [{ ...good, t: { limit: { tif: 'X' } } }] }),
    /^action\.orders\[0\]\.t\.limit\.tif has to be "Gtc" or /,
  );
  assert.equal(told({ type: 'cancel', cancels: [{ a: 0, o: -1 }] }), 'action.cancels[0].o has to be an integer from 0');
  assert.equal(told(1), 'action has to be an object with a type');
});
