/**
 * Holds the opposite of what another account holds in one market.
 *
 *   node examples/hedger.ts --key 0x... --of 0x... --coin BTC
 *
 * The other account's fills say when to look; what to do follows from both positions as the node states them, so that a missed message does
 * no harm. Differences that are worth less than the protocol's minimum are left.
 */
import { formatDecimal, type Market, marketOrder, parseDecimal, roundSize } from '../src/sdk/index.ts';
import { checkAccount, findMarket, readArguments, stopSignal } from './node-of-arguments.ts';

const DECIMALS = 12;
/** Whatever the streams say, both positions are compared this often. */
const LOOK_EVERY_MS = 5000;
const MIN_VALUE = 10n * 10n ** BigInt(2 * DECIMALS);

const { client, options } = readArguments({ of: '', coin: 'BTC', 'slippage-bps': '50' });
const coin = options.coin ?? '';
const watched = options.of as Market.Address;
const slippageBps = Number(options['slippage-bps']);
const market = await findMarket(client, coin);
await checkAccount(client);

async function positionOf(user: Market.Address): Promise<bigint> {
  const { assetPositions } = await client.info({ type: 'clearinghouseState', user });
  const szi = assetPositions.find(({ position }) => position.coin === coin)?.position.szi ?? '0';
  return parseDecimal(szi, DECIMALS) ?? 0n;
}

async function hedge(): Promise<void> {
  const [theirs, ours, mids] = await Promise.all([positionOf(watched), positionOf(client.address), client.info({ type: 'allMids' })]);
  const missing = -theirs - ours;
  const midPrice = mids[coin];
  if (missing === 0n || midPrice === undefined) return;
  const size = roundSize(formatDecimal(missing < 0n ? -missing : missing, DECIMALS), market.szDecimals, 'down');
  if ((parseDecimal(size, DECIMALS) ?? 0n) * (parseDecimal(midPrice, DECIMALS) ?? 0n) < MIN_VALUE) return;
  const side = missing > 0n ? 'buy' : 'sell';
  const [answer] = await client.order([
    marketOrder({ asset: market.asset, side, size, midPrice, slippageBps, szDecimals: market.szDecimals }),
  ]);
  console.log(
    `they hold ${formatDecimal(theirs, DECIMALS)}, we ${formatDecimal(ours, DECIMALS)}: ${side} ${size} ${coin}: ${JSON.stringify(answer)}`,
  );
}

/** One hedge at a time: two at once would both see the position before either has changed it. */
let wake: () => void = () => {};
const look = (): void => wake();
client.subscribe({ type: 'userFills', user: watched }, { onMessage: look, onGap: look });
let isStopping = false;
void stopSignal().then(() => {
  isStopping = true;
  look();
});
console.log(`${client.address} holds the opposite of ${watched} in ${coin}; Ctrl+C ends and leaves the position`);
while (!isStopping) {
  const { promise, resolve } = Promise.withResolvers<void>();
  wake = resolve;
  const timer = setTimeout(resolve, LOOK_EVERY_MS);
  try {
    await hedge();
  } catch (error) {
    console.log((error as Error).message);
  }
  await promise;
  clearTimeout(timer);
}
client.close();
