/** A node's folder: what its genesis says comes back, what is damaged or missing is said, and a node goes on where it ended. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createFolder, openFolder, readGenesis } from './folder.ts';
import { genesisHash } from './genesis-hash.ts';
import { growFolder, SAMPLE_ENGINE, sampleFolder, sampleGenesis } from './sample-folder.ts';

const folder = mkdtempSync(join(tmpdir(), 'folder-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('a genesis comes back with its defaults written out, and with its hash', async () => {
  const dir = join(folder, 'genesis');
  const genesis = { ...sampleGenesis(), backstop: '0x0000000000000000000000000000000000000002', exchange: { staleMs: 5 } };
  await createFolder(dir, genesis);
  const found = await readGenesis(dir);
  assert.deepEqual(genesisHash(found), genesisHash(genesis));
  assert.equal(found.backstop, genesis.backstop);
  assert.equal(found.exchange?.staleMs, 5);
  assert.equal(found.tokens[0]?.name, '5n', 'a name that looks like a number');
  assert.equal(found.accounts[3]?.collateral, 10n ** 12n);
  await assert.rejects(createFolder(dir, genesis), { code: 'FOLDER_EXISTS' });
});

test('a genesis that is missing or damaged is refused in words', async () => {
  await assert.rejects(readGenesis(join(folder, 'nowhere')), { code: 'NO_FOLDER' });
  const dir = join(folder, 'damaged');
  await createFolder(dir, sampleGenesis());
  const path = join(dir, 'genesis.json');
  const text = readFileSync(path, 'utf8');
  for (const [wrong, message] of [
    [text.slice(0, -1), /it is no JSON/],
    [`${text}\n`, /not in the form/],
    ['[]', /the genesis is not an object/],
    [text.replace('"maxAccounts"', '"maxAcounts"'), /lacks the field maxAccounts/],
    [text.replace('"maxAccounts"', '"extra":1,"maxAccounts"'), /has a field extra that is not known/],
    [text.replace('"1000000000000n"', '"1000000000000"'), /amount is not an integer of the form "123n"/],
    [text.replace('"tickCount":4096', '"tickCount":4096.5'), /markets\[0\]\.tickCount is not an integer/],
  ] as const) {
    assert.notEqual(wrong, text);
    writeFileSync(path, wrong);
    await assert.rejects(readGenesis(dir), { code: 'BAD_GENESIS', message });
  }
  writeFileSync(path, Buffer.from([0xff, 0xfe]));
  await assert.rejects(readGenesis(dir), { code: 'BAD_GENESIS' });
});

test('a node goes on where it ended, with and without its store, and its folder has one owner', async () => {
  const dir = join(folder, 'node');
  const hash = await sampleFolder(dir, 4);
  assert.equal(await growFolder(dir, 4), hash);
  rmSync(join(dir, 'store'), { recursive: true });
  assert.equal(await growFolder(dir, 4), hash);
  const longer = await growFolder(dir, 7);
  const other = join(folder, 'other');
  assert.equal(await sampleFolder(other, 7), longer);
  const pipeline = await openFolder(dir, { engine: SAMPLE_ENGINE });
  await assert.rejects(openFolder(dir, { engine: SAMPLE_ENGINE }), { code: 'FOLDER_LOCKED' });
  await pipeline.close();
});

test('who is attached to a folder is told of its blocks from the start on, in order, and of what they took', async () => {
  const dir = join(folder, 'attached');
  await sampleFolder(dir, 4);
  rmSync(join(dir, 'store'), { recursive: true });
  const told: string[] = [];
  const pipeline = await openFolder(dir, {
    engine: SAMPLE_ENGINE,
    attach: (genesis, store) => {
      told.push(`${genesis.markets.length} markets, height ${store.height}`);
      return {
        onExecuted: ({ transactions }) => told.push(`executed ${transactions > 0}`),
        onConfirmed: ({ number, changes }) => told.push(`confirmed ${number} ${[...changes].length > 0}`),
        termsOf: ({ number }) => {
          told.push(`terms ${number}`);
          return new Uint8Array(0);
        },
        onSettled: ({ header }) => told.push(`settled ${header.height}`),
      };
    },
  });
  await pipeline.close();
  const steps = (number: number): string[] => ['executed true', `confirmed ${number} true`, `terms ${number}`];
  assert.equal(told[0], `${sampleGenesis().markets.length} markets, height undefined`);
  assert.deepEqual(
    told.slice(1).filter((line) => !line.startsWith('settled')),
    [1, 2, 3, 4].flatMap(steps),
  );
  assert.deepEqual(
    told.filter((line) => line.startsWith('settled')),
    [1, 2, 3, 4].map((number) => `settled ${number}`),
  );
});

test('a genesis that could not be read again is not written', async () => {
  const dir = join(folder, 'unreadable');
  const [market] = sampleGenesis().markets;
  await assert.rejects(createFolder(dir, { ...sampleGenesis(), markets: [{ ...(market as NonNullable<typeof market>), leverage: 2.5 }] }), {
    code: 'BAD_GENESIS',
  });
  await createFolder(dir, sampleGenesis());
});

test('a node that could not start leaves its folder free', async () => {
  const dir = join(folder, 'small');
  await createFolder(dir, sampleGenesis());
  await assert.rejects(openFolder(dir, { engine: { ...SAMPLE_ENGINE, memoryMiB: 1 } }));
  await (await openFolder(dir, { engine: SAMPLE_ENGINE })).close();
});
