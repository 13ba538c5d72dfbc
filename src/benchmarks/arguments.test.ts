import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseArguments } from './arguments.ts';

const CATALOGUE = ['transfers', 'book'];
const parse = (...argv: string[]) => parseArguments(argv, CATALOGUE);

test('defaults are those of a run that counts', () => {
  const { names, json, settings } = parse('book');
  assert.deepEqual(names, ['book']);
  assert.equal(json, false);
  assert.equal(settings.rounds, 11);
  assert.equal(settings.commands, 3_000_000);
  assert.deepEqual(settings.accounts, [2, 10, 100, 1000, 10_000, 1_000_000]);
});

test('a quick run is shorter, and may still be told how long', () => {
  assert.equal(parse('book', '--quick').settings.rounds, 3);
  assert.equal(parse('book', '--quick').settings.commands, 300_000);
  assert.equal(parse('book', '--quick', '--rounds', '5', '--commands', '1_000').settings.rounds, 5);
  assert.equal(parse('book', '--quick', '--commands', '1_000').settings.commands, 1000);
});

test('lists', () => {
  assert.deepEqual(parse('book', '--workers', '4,1,4').settings.workers, [1, 4]);
  assert.deepEqual(parse('transfers', '--work', '0,2.5', '--shapes', 'narrow').settings.workMicros, [0, 2.5]);
  assert.deepEqual(parse('book', '--no-latency').settings.rates, []);
  assert.deepEqual(parse('book', '--models', 'optimistic,deterministic,list').settings.variants, ['optimistic', 'deterministic, list']);
  assert.deepEqual(parse('book', '--models', 'sharded, list; auto').settings.variants, ['sharded, list', 'auto']);
});

test('all, the list, and what is not there', () => {
  assert.deepEqual(parse('all').names, CATALOGUE);
  assert.equal(parse('--list').list, true);
  assert.throws(() => parse('nothing'), /there is no benchmark 'nothing'; there are: transfers, book, all/);
  assert.throws(() => parse(), /which benchmark/);
  assert.throws(() => parse('book', '--rounds', '0'), /whole number from 1 to 1000/);
  assert.throws(() => parse('book', '--workers', '1,x'), /whole number/);
  assert.throws(() => parse('book', '--models', 'quick'), /there is no model 'quick'/);
  assert.throws(() => parse('book', '--colour'), /unknown option/);
});
