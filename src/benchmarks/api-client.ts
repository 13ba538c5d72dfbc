/**
 * The client of the benchmark `api`, a process of its own: signs what it is told to, then sends it as it is told to, and says what came of it.
 * Invariant: nothing is signed while something is measured. It ends when the process that has started it does.
 */
import { type Connection, openConnection, type Route, type WireRequest, wireRequest } from './api-connections.ts';
import { Load, type LoadPlan, type LoadResult } from './api-load.ts';
import { RequestMaker } from './api-requests.ts';

/** `prepare`: sign what is missing. `load`: send it. */
export type ClientOrder = { readonly kind: 'prepare' | 'load'; readonly order: LoadOrder };

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
  | { readonly kind: 'prepared' }
  | { readonly kind: 'result'; readonly result: LoadResult }
  | { readonly kind: 'failed'; readonly text: string };

/** Connections that are opened at the same time. */
const AT_ONCE = 64;
/**
 * Requests that were made and not used, and their route and orders: for the next measurement, if it is of the same kind. After another one an account has
 * so many newer nonces that the ledger takes these no more.
 */
let made: { readonly kind: string; readonly requests: WireRequest[] } = { kind: '', requests: [] };
const maker = await RequestMaker.create(Number(process.argv[2] ?? 1), Date.now());
let nextId = 1;

function supplyOf({ route, orders }: LoadOrder): WireRequest[] {
  const kind = `${route} ${orders}`;
  if (made.kind !== kind) made = { kind, requests: [] };
  return made.requests;
}

function prepare(order: LoadOrder): void {
  const supply = supplyOf(order);
  while (supply.length < order.requests) supply.push(wireRequest(order.route, nextId++, maker.next(order.orders).body));
}

async function load(order: LoadOrder): Promise<LoadResult> {
  const { route, url, plan } = order;
  const supply = supplyOf(order);
  const opened: Connection[] = [];
  let used = 0;
  const next = (): WireRequest => supply[used++] ?? wireRequest(route, nextId++, maker.next(order.orders).body);
  try {
    while (opened.length < order.connections) {
      const some = Array.from({ length: Math.min(AT_ONCE, order.connections - opened.length) }, () => openConnection(route, url));
      opened.push(...(await Promise.all(some)));
    }
    const { result, unused } = await new Load(opened, plan, next).run();
    supply.splice(0, used, ...unused);
    return result;
  } finally {
    for (const connection of opened) connection.close();
  }
}

async function obey({ kind, order }: ClientOrder): Promise<ClientMessage> {
  if (kind === 'load') return { kind: 'result', result: await load(order) };
  prepare(order);
  return { kind: 'prepared' };
}

function tell(message: ClientMessage): void {
  process.send?.(message);
}

process.on('disconnect', () => process.exit());
process.on('message', (order: ClientOrder) => {
  obey(order).then(tell, (error: unknown) =>
    tell({ kind: 'failed', text: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
tell({ kind: 'ready' });
