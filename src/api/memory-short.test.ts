/** A node whose ledger has little memory: orders are refused in words before it is used up, and what takes them away is not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeddleClient } from '../sdk/index.ts';
import type { WireAction } from '../sdk/wire-actions.ts';
import { testGenesis, testKey } from './service-for-tests.ts';
import { startSmallService } from './small-service.ts';

/** With the accounts and markets of these tests a few MiB are left. */
const ENGINE = { workers: 1, model: 'serial', engine: { memoryMiB: 1008 } } as const;
const ETH = 1;
const ORDERS = 60;
/** So many of them an account may have open. */
const BATCHES = 16;

interface Answer {
  readonly status: string;
  readonly response: unknown;
}

test('orders are refused when memory is short, cancels are not, and the node says so to whoever watches it', async () => {
  const node = await startSmallService(() => ({ ...testGenesis(), orderPages: 16 }), { engine: ENGINE });
  try {
    const { url } = node.service;
    const clients = [1, 2, 3].map((index) => new HeddleClient({ url, signer: testKey(index) }));
    const act = async (client: HeddleClient, action: WireAction): Promise<Answer> =>
      (await fetch(`${url}/exchange`, { method: 'POST', body: JSON.stringify(await client.sign(action)) })).json() as Promise<Answer>;
    let placed = 0;
    // Each in a part of the book of its own.
    const place = (client: HeddleClient) => {
      const orders = Array.from({ length: ORDERS }, () => {
        return { a: ETH, b: true, p: `${500 + placed++}`, s: '0.1', r: false, t: { limit: { tif: 'Gtc' as const } } };
      });
      return act(client, { type: 'order', orders, grouping: 'na' });
    };
    let client = clients[0] as HeddleClient;
    let answer = await place(client);
    for (let batch = 1; answer.status === 'ok' && batch < clients.length * BATCHES; batch++) {
      client = clients[batch % clients.length] as HeddleClient;
      answer = await place(client);
    }
    assert.deepEqual(answer, {
      status: 'err',
      response: 'The node is short of memory: cancel orders, close positions or withdraw, everything else is refused for now.',
    });
    const usedOf = async (): Promise<number> => ((await client.ask('budget', { user: client.address })) as { used: number }).used;
    const used = await usedOf();
    assert.equal((await place(client)).status, 'err');
    assert.equal(await usedOf(), used, 'what is refused takes nothing of what an address may send');
    const open = (await client.ask('openOrders', { user: client.address })) as { oid: number }[];
    const cancels = open.slice(0, ORDERS).map(({ oid }) => ({ a: ETH, o: oid }));
    assert.equal((await act(client, { type: 'cancel', cancels })).status, 'ok');
    assert.equal(((await client.ask('openOrders', { user: client.address })) as unknown[]).length, open.length - cancels.length);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    assert.match(metrics, /heddle_refused_total\{reason="memory"\} 2\n/);
    assert.match(metrics, /heddle_ledger_memory_left_bytes \d+/);
    assert.equal((await fetch(`${url}/ready`)).status, 200);
    assert.deepEqual(node.faults, []);
  } finally {
    await node.close();
  }
});
