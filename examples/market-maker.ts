/**
 * Quotes both sides of one market around the oracle price, and leans against the position that it gets.
 *
 *   node examples/market-maker.ts --key 0x... --coin BTC --size 0.01 --spread-bps 10
 *
 * When the price has moved, or an order was filled, both quotes are cancelled and placed anew, post-only. If this program or its
 * connection dies, the node cancels the quotes after a while: `scheduleCancel`, renewed while all is well.
 */
import { type ActionOf, formatDecimal, limitOrder, parseDecimal, roundPrice, roundSize, type WireOrder } from '../src/sdk/index.ts';
import { checkAccount, findMarket, readArguments, stopSignal } from './node-of-arguments.ts';

const DECIMALS = 12;
const UNIT = 10n ** BigInt(DECIMALS);
const QUOTE_EVERY_MS = 1000;
const SWITCH_MS = 30_000;

const { client, options } = readArguments({ coin: 'BTC', size: '0.01', 'spread-bps': '10', 'max-position': '0.1' });
const { coin = '', size = '' } = options;
const market = await findMarket(client, coin);
await checkAccount(client);
const spreadBps = BigInt(options['spread-bps'] ?? '10');
const positionMax = exact(options['max-position'] ?? '');

/** In 10^-12. */
let oracle: bigint | undefined;
let position = 0n;
let quoted: bigint | undefined;
let quotes: number[] = [];
/** A stream has missed something, or an order was filled: what this program believes has to be asked for again. */
let isStale = true;
let isStopping = false;

function exact(text: string): bigint {
  const value = parseDecimal(text, DECIMALS);
  if (value === undefined) throw new Error(`"${text}" is no number of at most ${DECIMALS} decimals`);
  return value;
}

const prices = client.subscribe(
  { type: 'activeAssetCtx', coin },
  {
    onMessage: ({ ctx }) => {
      oracle = exact(ctx.oraclePx);
    },
  },
);
const fills = client.subscribe(
  { type: 'userFills', user: client.address },
  {
    onMessage: ({ fills: news }, { isSnapshot }) => {
      if (isSnapshot) return;
      for (const fill of news) console.log(`${fill.coin} ${fill.dir} ${fill.sz} at ${fill.px}, fee ${fill.fee}`);
      isStale = true;
    },
    onGap: () => {
      isStale = true;
    },
  },
);
await Promise.all([prices.ready, fills.ready]);

async function refresh(): Promise<void> {
  isStale = false;
  const user = client.address;
  const [state, open] = await Promise.all([client.info({ type: 'clearinghouseState', user }), client.info({ type: 'openOrders', user })]);
  position = exact(state.assetPositions.find((one) => one.position.coin === coin)?.position.szi ?? '0');
  quotes = open.filter((order) => order.coin === coin).map(({ oid }) => oid);
  quoted = undefined;
}

/** Bid and ask around the oracle price, moved against the position by up to half the spread; the side that would exceed the limit is left out. */
function wanted(middle: bigint): WireOrder[] {
  const half = (middle * spreadBps) / 20_000n;
  const lean = positionMax === 0n ? 0n : (half * position) / positionMax;
  const orders: WireOrder[] = [];
  for (const side of ['buy', 'sell'] as const) {
    const isBuy = side === 'buy';
    if (isBuy ? position >= positionMax : position <= -positionMax) continue;
    const raw = (isBuy ? middle - half : middle + half) - lean;
    const price = roundPrice(formatDecimal(raw, DECIMALS), market.szDecimals, isBuy ? 'down' : 'up');
    const lots = roundSize(size, market.szDecimals, 'down');
    orders.push(limitOrder({ asset: market.asset, side, price, size: lots, tif: 'Alo' }));
  }
  return orders;
}

async function quote(): Promise<void> {
  if (isStale) await refresh();
  const middle = oracle;
  if (middle === undefined) return;
  const hasMoved = quoted === undefined || (middle > quoted ? middle - quoted : quoted - middle) * 40_000n > quoted * spreadBps;
  if (!hasMoved) return;
  if (quotes.length > 0) {
    const cancels: ActionOf<'cancel'>['cancels'] = quotes.map((o) => ({ a: market.asset, o }));
    await client.cancel(cancels);
    quotes = [];
  }
  for (const answer of await client.order(wanted(middle))) {
    if (typeof answer === 'object' && 'resting' in answer) quotes.push(answer.resting.oid);
    else if (typeof answer === 'object' && 'error' in answer) console.log(answer.error);
  }
  quoted = middle;
}

let renewedMs = 0;
let hasSwitch = true;

async function renewSwitch(): Promise<void> {
  const nowMs = Date.now();
  if (!hasSwitch || nowMs - renewedMs < SWITCH_MS / 3) return;
  try {
    await client.scheduleCancel(nowMs + SWITCH_MS);
    renewedMs = nowMs;
  } catch (error) {
    // The protocol gives the switch to accounts that have traded enough.
    console.log(`no dead man's switch: ${(error as Error).message}`);
    hasSwitch = false;
  }
}

void stopSignal().then(() => {
  isStopping = true;
});
console.log(`${client.address} quotes ${size} ${coin} on both sides, ${spreadBps} basis points apart; Ctrl+C cancels and ends`);
while (!isStopping) {
  try {
    await renewSwitch();
    await quote();
  } catch (error) {
    console.log((error as Error).message);
    isStale = true;
  }
  await new Promise((resolve) => setTimeout(resolve, QUOTE_EVERY_MS));
}
await refresh();
if (quotes.length > 0) await client.cancel(quotes.map((o) => ({ a: market.asset, o })));
console.log(
  `position ${formatDecimal(position, DECIMALS)} ${coin}, worth ${oracle === undefined ? '?' : formatDecimal((position * oracle) / UNIT, DECIMALS)}`,
);
client.close();
