/**
 * Writes the fills of the key's account, and the trades of a market, as lines of JSON; and says of each block with fills when it is settled.
 *
 *   node examples/exporter.ts --key 0x... --coin BTC > fills.ndjson
 *
 * Nothing is left out: what the streams have missed is asked for by time, and what came twice is written once. A block counts as settled when the
 * node has given its header, and the header is the one of its hash.
 */
import type { Account } from '../src/sdk/index.ts';
import { findMarket, readArguments, stopSignal } from './node-of-arguments.ts';

const { client, options } = readArguments({ coin: 'BTC' });
const user = client.address;
// A node that is not there and a market that it does not have are said at once; streams would wait for the first and be refused the second.
const { name: coin } = await findMarket(client, options.coin ?? '');

const write = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
const complain = (error: unknown): void => console.error((error as Error).message);

/** A fill is known by its trade and the order that it is of. The newest are remembered: only they can come twice. */
const written = new Set<string>();
const REMEMBERED_MAX = 50_000;
let newestMs = 0;

function take(fills: readonly Account.Fill[], height: number | undefined): void {
  for (const fill of fills) {
    const id = `${fill.tid} ${fill.oid}`;
    if (written.has(id)) continue;
    written.add(id);
    newestMs = Math.max(newestMs, fill.time);
    write({ fill, height });
  }
  for (const id of written) {
    if (written.size <= REMEMBERED_MAX) break;
    written.delete(id);
  }
}

/** From the newest fill that is written: pages of the protocol, each from where the one before ended. */
async function catchUp(): Promise<void> {
  while (true) {
    const fromMs = newestMs;
    take(await client.info({ type: 'userFillsByTime', user, startTime: fromMs }), undefined);
    if (newestMs === fromMs) return;
  }
}

const settling = new Set<number>();

async function settle(height: number): Promise<void> {
  if (settling.has(height)) return;
  settling.add(height);
  const { hash } = await client.untilSettled(height);
  write({ settled: height, hash: Buffer.from(hash).toString('hex') });
  settling.delete(height);
}

client.subscribe(
  { type: 'userFills', user },
  {
    onMessage: ({ fills }, { height, isSnapshot }) => {
      take(fills, isSnapshot ? undefined : height);
      if (!isSnapshot && height !== undefined) void settle(height).catch(complain);
    },
    onGap: (gap) => {
      write({ missed: gap });
      void catchUp().catch(complain);
    },
  },
);
client.subscribe(
  { type: 'trades', coin },
  {
    onMessage: (trades, { height, isSnapshot }) => {
      if (!isSnapshot) for (const trade of trades) write({ trade, height });
    },
    onGap: (gap) => write({ missed: gap, coin }),
  },
);
await stopSignal();
client.close();
