/** A node whose ledger has little memory: orders are refused in words before it is used up, and what takes them away is not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WireAction } from '../sdk/wire-actions.ts';
import { startService } from './service-for-tests.ts';

/** With the accounts and markets of these tests a few MiB are left. */
const ENGINE = { workers: 1, model: 'serial', engine: { memoryMiB: 1020 } } as const;
const ETH = 1;
const ORDERS = 60;

test('orders are refused when memory is short, cancels are not, and the node says so to whoever watches it', async () => {
  const node = await startService({ engine: ENGINE });
  try {
    const client = node.client(1);
    const act = async (action: WireAction): Promise<{ status: string; response: unknown }> =>
      JSON.parse((await node.post('/exchange', await client.sign(action))).text);
    const place = (first: number) =>
      act({
        type: 'order',
        // Each in a part of the book of its own.
        orders: Array.from({ length: ORDERS }, (_, i) => {
          return { a: ETH, b: true, p: `${500 + first + i}`, s: '0.1', r: false, t: { limit: { tif: 'Gtc' as const } } };
        }),
        grouping: 'na',
      });
    let answer = await place(0);
    let batches = 1;
    for (; answer.status === 'ok' && batches < 400; batches++) answer = await place((batches * ORDERS) % 2000);
    assert.deepEqual(answer, {
      status: 'err',
      response: 'The node is short of memory: cancel orders, close positions or withdraw, everything else is refused for now.',
    });
    const open = (await client.ask('openOrders', { user: client.address })) as { oid: number }[];
    const cancels = open.slice(0, ORDERS).map(({ oid }) => ({ a: ETH, o: oid }));
    assert.equal((await act({ type: 'cancel', cancels })).status, 'ok');
    assert.equal(((await client.ask('openOrders', { user: client.address })) as unknown[]).length, open.length - cancels.length);
    const metrics = await (await fetch(`${node.service.url}/metrics`)).text();
    assert.match(metrics, /heddle_refused_total\{reason="memory"\} 1\n/);
    assert.match(metrics, /heddle_ledger_memory_left_bytes \d+/);
    assert.equal((await fetch(`${node.service.url}/ready`)).status, 200);
    assert.deepEqual(node.faults, []);
  } finally {
    await node.close();
  }
});
