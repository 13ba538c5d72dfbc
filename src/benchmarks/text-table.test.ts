import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BenchmarkRow } from '../report/index.ts';
import { alignColumns, rowsAsText } from './text-table.ts';

test('names to the left, numbers to the right', () => {
  assert.equal(
    alignColumns([
      ['name', 'n', 'rest'],
      ['a', '1,000', 'x'],
      ['bcdef', '7', ''],
    ]),
    ['name       n  rest', 'a      1,000  x', 'bcdef      7'].join('\n'),
  );
});

test('parameters that do not vary stand above the table', () => {
  const row: BenchmarkRow = {
    benchmark: 'b',
    model: 'serial',
    variant: 'serial',
    accessSets: 'none',
    workers: 1,
    parameters: { accounts: 1000, workMicros: 0 },
    transactionsPerSecond: 1_234_567.8,
    withHostPerSecond: 1_000_000,
    ratioToSerial: 1,
    executionsPerTransaction: 1,
    validationsPerTransaction: 0,
    quartiles: [1_200_000, 1_300_000],
    conflicts: {},
    stateRoot: '',
  };
  const text = rowsAsText([row, { ...row, parameters: { accounts: 1000, workMicros: 10 }, accessListBytesPerTransaction: 12.34 }]);
  const [above, titles, first, second] = text.split('\n');
  assert.equal(above, 'accounts 1,000');
  assert.match(titles ?? '', /^work µs {2}variant {2}workers {7}tx\/s/);
  assert.match(first ?? '', /^ {6}0 {2}serial .* 1,234,568 {2}1,200,000 to 1,300,000/);
  assert.match(second ?? '', /12\.3$/);
});
