/**
 * Our answers beside what the venue itself has answered, recorded by others: the same keys, and the same kind of value under each.
 *
 * The recordings are of 2023 to 2025: newer keys are held by shapes.test.ts, and some old ones are gone.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { executedBlocks } from '../simulator/executed-blocks.ts';
import { randomGenesis } from '../simulator/random-genesis.ts';
import { Views } from './index.ts';

const DATA = resolve(process.env.HEDDLE_DATA ?? resolve(import.meta.dirname, '../../../shared/data'));
const CASSETTES = resolve(DATA, 'hyperliquid/cassettes');
const missing = existsSync(CASSETTES) ? false : `not checked: ${CASSETTES} is not there (folder: HEDDLE_DATA)`;

/** Keys that the venue had once. */
const GONE = new Set(['clearinghouseState.assetPositions[].position.maxTradeSzs']);
/** Answers by name of something, whatever the names are. */
const MAPS = new Set(['allMids']);
/** What has no content here: staking is not. */
const EMPTY = new Set(['delegatorHistory']);

interface Recorded {
  readonly file: string;
  readonly request: { readonly type: string };
  readonly answer: unknown;
}

/** A text in single quotes of YAML: a line break stands for a blank. */
const unfolded = (text: string): string => text.replaceAll("''", "'").replace(/[ \t]*\n[ \t]*/g, ' ');

function recordedIn(file: string): Recorded[] {
  const text = readFileSync(resolve(CASSETTES, file), 'utf8');
  const quoted = (key: string): string[] =>
    [...text.matchAll(new RegExp(`^ *${key}: '((?:[^']|'')*)'`, 'gm'))].map(([, found]) => unfolded(found ?? ''));
  const answers = quoted('string');
  return quoted('body').map((body, i) => ({ file, request: JSON.parse(body), answer: JSON.parse(answers[i] ?? '') }));
}

/** Kinds of values by path; rows of an array count as one, objects that say their type as one for each type. */
function kindsOf(value: unknown, at: string, into = new Map<string, Set<string>>()): Map<string, Set<string>> {
  const kind = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  into.set(at, (into.get(at) ?? new Set()).add(kind));
  if (Array.isArray(value)) for (const entry of value) kindsOf(entry, `${at}[]`, into);
  else if (typeof value === 'object' && value !== null) {
    const { type } = value as { type?: unknown };
    const own = typeof type === 'string' ? `${at}<${type}>` : at;
    for (const [key, entry] of Object.entries(value)) kindsOf(entry, MAPS.has(at) ? `${own}.*` : `${own}.${key}`, into);
  }
  return into;
}

const parentOf = (path: string): string => path.replace(/(\.[^.[\]]+|\[\])$/, '');

function compare({ file, request, answer }: Recorded, ours: Map<string, Set<string>>): void {
  for (const [path, kinds] of kindsOf(answer, request.type)) {
    if (GONE.has(path.replaceAll(/<[^>]*>/g, '')) || [...GONE].some((gone) => path.startsWith(gone))) continue;
    // Of what there is none here, nothing is said.
    if (path !== request.type && !ours.has(parentOf(path))) continue;
    const found = ours.get(path);
    if (found === undefined && path.endsWith('[]')) continue;
    assert.ok(found !== undefined, `${file}: ${path} is not in our answer`);
    const values = [...kinds].filter((kind) => kind !== 'null');
    const other = [...found].filter((kind) => kind !== 'null' && !kinds.has(kind));
    assert.ok(values.length === 0 || other.length === 0, `${file}: ${path} is ${values.join()} there and ${other.join()} here`);
  }
}

test('answers have the keys and kinds of the recorded ones', { skip: missing }, async () => {
  const ours = new Map<string, Map<string, Set<string>>>();
  const recorded = readdirSync(CASSETTES).flatMap(recordedIn);
  assert.ok(recorded.length >= 20, 'the recordings are read');
  for (const seed of [0, 1, 4, 5, 6, 13]) {
    const genesis = randomGenesis(seed);
    const views = Views.open({ genesis });
    for await (const { block } of executedBlocks(seed, genesis)) views.confirm(block);
    for (const { request } of recorded) {
      for (const { address: user } of genesis.accounts) {
        const req = { coin: 'M0', interval: '1h', startTime: 0 };
        const answer = views.answer({ ...request, user, coin: 'M0', req, startTime: 0, endTime: null });
        ours.set(request.type, kindsOf(JSON.parse(JSON.stringify(answer)), request.type, ours.get(request.type)));
      }
    }
  }
  for (const entry of recorded) {
    const kinds = ours.get(entry.request.type) as Map<string, Set<string>>;
    assert.ok(
      EMPTY.has(entry.request.type) || kinds.size > 1 || ![...(kinds.get(entry.request.type) ?? [])].includes('array'),
      `${entry.request.type} has content`,
    );
    compare(entry, kinds);
  }
});

test('a key that is missing, and a value of another kind, are found', () => {
  const entry = (answer: unknown): Recorded => ({ file: 'planted', request: { type: 'userFills' }, answer });
  const ours = kindsOf([{ px: '1', oid: 5 }], 'userFills');
  compare(entry([{ px: '2' }]), ours);
  assert.throws(() => compare(entry([{ px: '2', sz: '1' }]), ours), /sz is not in our answer/);
  assert.throws(() => compare(entry([{ oid: '5' }]), ours), /oid is string there and number here/);
});
