/**
 * The client of the benchmark `api`, a process of its own: signs what it is told to, then sends it as it is told to, and says what came of it.
 * Invariant: nothing is signed while something is measured. It ends when the process that has started it does.
 */
import { type Connection, openConnection, type Route, type WireRequest, wireRequest } from './api-connections.ts';
import { Load, type LoadPlan, type LoadResult } from './api-load.ts';
import { RequestMaker } from './api-requests.ts';

export interface LoadOrder {
  readonly url: string;
  readonly route: Route;
  /** Orders of a request. */
  readonly orders: number;
  readonly connections: number;
  /** Requests to sign beforehand: more than can be accepted. */
  readonly requests: number;
  readonly plan: LoadPlan;
}

/** What the two processes tell each other. */
export type ClientMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'result'; readonly result: LoadResult }
  | { readonly kind: 'failed'; readonly text: string };

/** Requests that were made and not used, by their route and orders: for the next measurement of the kind. */
const made = new Map<string, WireRequest[]>();
const maker = await RequestMaker.create(Number(process.argv[2] ?? 1), Date.now());
let nextId = 1;

async function run({ url, route, orders, connections, requests, plan }: LoadOrder): Promise<LoadResult> {
  const key = `${route} ${orders}`;
  const supply = made.get(key) ?? [];
  made.set(key, supply);
  while (supply.length < requests) supply.push(wireRequest(route, nextId++, maker.next(orders).body));
  // The oldest first: nonces of an account have to be near each other.
  supply.reverse();
  const opened: Connection[] = [];
  try {
    for (let i = 0; i < connections; i++) opened.push(await openConnection(route, url));
    return await new Load(opened, plan, () => supply.pop() ?? wireRequest(route, nextId++, maker.next(orders).body)).run();
  } finally {
    supply.reverse();
    for (const connection of opened) connection.close();
  }
}

function tell(message: ClientMessage): void {
  process.send?.(message);
}

process.on('disconnect', () => process.exit());
process.on('message', (order: LoadOrder) => {
  run(order).then(
    (result) => tell({ kind: 'result', result }),
    (error: unknown) => tell({ kind: 'failed', text: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
tell({ kind: 'ready' });
