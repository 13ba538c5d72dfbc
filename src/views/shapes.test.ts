/** Every answer and every stream message has the protocol's shape: those of empty accounts, and those of accounts with all that there is. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { executedBlocks } from '../simulator/executed-blocks.ts';
import { randomGenesis } from '../simulator/random-genesis.ts';
import { type FeedMessage, INFO_TYPES, MalformedRequest, Views } from './index.ts';
import { INFO_SHAPES, isPlainDecimal, mismatch, STREAM_SHAPES } from './protocol-shapes.ts';
import { requestOf } from './sample-requests.ts';

const SEEDS = [1, 4, 5, 6, 11, 13];
/** The Python SDK still listens to `webData2`. */
const SUBSCRIPTIONS = [...Object.keys(STREAM_SHAPES).filter((type) => type !== 'activeSpotAssetCtx'), 'webData2'];
const NOBODY = `0x${'9'.repeat(40)}`;

function fits(value: unknown, shape: string | undefined, name: string): void {
  assert.ok(shape !== undefined, `${name} has no shape`);
  // What goes over the wire.
  const wire: unknown = JSON.parse(JSON.stringify(value));
  assert.equal(mismatch(wire, shape), undefined, `${name}: ${JSON.stringify(wire).slice(0, 600)}`);
}

/** An address that is no vault has no details. */
const shapeOf = (type: string): string => (type === 'vaultDetails' ? `null|${INFO_SHAPES[type]}` : (INFO_SHAPES[type] ?? 'any'));

/** Numbers in strings, wherever they stand. */
function decimalsIn(value: unknown): string[] {
  if (typeof value === 'string') return /^-?\d*\.?\d+(e-?\d+)?$/i.test(value) ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(decimalsIn);
}

test('every request of the protocol is answered, and no other', () => {
  assert.deepEqual(
    Object.keys(INFO_SHAPES).filter((type) => !INFO_TYPES.includes(type)),
    [],
  );
  const views = Views.open({ genesis: randomGenesis(1) });
  for (const request of [undefined, null, 7, 'meta', [], {}, { type: 5 }, { type: 'toString' }, { type: '__proto__' }, { type: 'metas' }]) {
    assert.throws(() => views.answer(request), MalformedRequest);
  }
  for (const user of [undefined, null, 7, '0x', `0x${'g'.repeat(40)}`, `0x${'1'.repeat(41)}`]) {
    assert.throws(() => views.answer({ type: 'clearinghouseState', user }), MalformedRequest);
    assert.throws(() => views.subscribe({ type: 'userFills', user }, () => {}), MalformedRequest);
  }
  assert.throws(() => views.answer({ type: 'l2Book', coin: 'M0', nSigFigs: 6 }), MalformedRequest);
  assert.throws(() => views.answer({ type: 'candleSnapshot', req: { coin: 'M0', interval: '7m', startTime: 0 } }), MalformedRequest);
});

test('before the first block, and of accounts that are not there', () => {
  const views = Views.open({ genesis: randomGenesis(5) });
  for (const type of INFO_TYPES) fits(views.answer(requestOf(type, NOBODY, 'M0')), shapeOf(type), type);
});

for (const seed of SEEDS) {
  test(`answers and messages of random blocks, seed ${seed}`, async () => {
    const genesis = randomGenesis(seed);
    const views = Views.open({ genesis });
    const users = genesis.accounts.map(({ address }) => address);
    const messages = new Map<string, FeedMessage[]>();
    for (const type of SUBSCRIPTIONS) {
      for (const user of users) {
        const heard = messages.get(type) ?? [];
        messages.set(type, heard);
        views.subscribe(requestOf(type, user, 'M0'), (message) => heard.push(message));
      }
    }
    for await (const { block } of executedBlocks(seed, genesis)) {
      views.confirm(block);
      for (const heard of messages.values()) assert.ok(heard.every(({ height }) => height <= views.height));
    }
    views.flush();
    for (const type of INFO_TYPES) {
      for (const user of users) {
        const answer = views.answer(requestOf(type, user, 'M0'));
        fits(answer, shapeOf(type), type);
        for (const text of decimalsIn(answer)) assert.ok(isPlainDecimal(text), `${type}: ${text}`);
      }
    }
    for (const vault of views.mirror.vaults.keys()) {
      fits(views.answer({ type: 'vaultDetails', vaultAddress: views.addressOf(vault), user: users[0] }), INFO_SHAPES.vaultDetails, 'vault');
    }
    for (const [type, heard] of messages) {
      const shape = type === 'fastAssetCtxs' ? 'str' : (STREAM_SHAPES[type] ?? INFO_SHAPES[type]);
      for (const { data, channel } of heard) {
        assert.equal(channel, type === 'userEvents' ? 'user' : type);
        fits(data, shape, `stream ${type}`);
      }
    }
  });
}

test('the page of requests has every request and every subscription', () => {
  const page = readFileSync(resolve(import.meta.dirname, '../../docs/api.md'), 'utf8');
  const [, requests = '', subscriptions = ''] = page.split(/^## (?:Requests|Subscriptions).*$/m);
  const named = (part: string): string[] =>
    [...part.matchAll(/^\| (`[^|]*`) \|/gm)].flatMap(([, cell]) => [...(cell ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name ?? ''));
  assert.deepEqual(named(requests).sort(), [...INFO_TYPES].sort());
  assert.deepEqual(named(subscriptions).sort(), SUBSCRIPTIONS.toSorted());
});
