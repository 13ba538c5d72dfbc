/** How deep JSON may be nested, against going through what was parsed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseJson } from './json-input.ts';

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

test('what is nested too deep is refused, wherever else brackets stand', () => {
  const text = fc.string({ unit: fc.constantFrom(...'ab{}[]"\\ é'), maxLength: 8 });
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 9, withCrossShrink: true },
      text,
      fc.integer(),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(text, tie('value'), { maxKeys: 4 }),
    ),
  }));
  fc.assert(
    fc.property(value, fc.integer({ min: 1, max: 10 }), (given, depthMax) => {
      const json = JSON.stringify(given);
      if (depthOf(given) > depthMax) assert.throws(() => parseJson(json, depthMax), { message: `nested deeper than ${depthMax}` });
      else assert.deepEqual(parseJson(json, depthMax), JSON.parse(json));
    }),
    { numRuns: 2000 },
  );
  assert.throws(() => parseJson('['.repeat(100_000), 16), { message: 'nested deeper than 16' });
  assert.throws(() => parseJson('{"a', 16), { code: 'MALFORMED_REQUEST' });
});
