/** What the examples have in common: a client from the arguments `--url` and `--key` or from HEDDLE_URL and HEDDLE_KEY, a market by its name, an account that is there. */
import { parseArgs } from 'node:util';
import { HeddleClient, type Market, SignerKey } from '../src/sdk/index.ts';

// What the world does wrong (no node there, no such market) ends with its sentence. Everything else is a mistake in the program: with its stack.
process.on('uncaughtException', (error) => {
  console.error('code' in error ? error.message : error);
  process.exit(1);
});

/** An option whose default is one takes no other text. */
const NUMBER = /^\d+(?:\.\d+)?$/;

export interface Arguments {
  readonly client: HeddleClient;
  /** The values of the example's own options. */
  readonly options: Readonly<Record<string, string>>;
}

/**
 * `defaults`: the example's own options; an empty text means that it has to be given. Ends the process with a line of help if it is not,
 * and if `--help` asks for it.
 */
export function readArguments(defaults: Readonly<Record<string, string>>): Arguments {
  const all: Record<string, string> = {
    url: process.env.HEDDLE_URL ?? 'http://127.0.0.1:3001',
    key: process.env.HEDDLE_KEY ?? '',
    chain: 'Testnet',
    ...defaults,
  };
  const usage = Object.entries(all).map(([name, value]) => `--${name} ${name === 'key' ? '<private key>' : value || '<value>'}`);
  const help = `Options: ${usage.join(' ')}`;
  if (process.argv.includes('--help')) {
    console.log(help);
    process.exit(0);
  }
  try {
    const spec = Object.fromEntries(Object.entries(all).map(([name, value]) => [name, { type: 'string' as const, default: value }]));
    const { values } = parseArgs({ options: spec });
    const options = values as Record<string, string>;
    for (const [name, value] of Object.entries(options)) {
      if (value === '') throw new Error(`--${name} is missing`);
      if (NUMBER.test(all[name] ?? '') && !NUMBER.test(value)) throw new Error(`--${name} is ${value}: it has to be a number from 0`);
    }
    const { url = '', key = '', chain } = options;
    const client = new HeddleClient({ url, signer: new SignerKey(key), chain: chain === 'Mainnet' ? 'Mainnet' : 'Testnet' });
    return { client, options };
  } catch (error) {
    console.error(`${(error as Error).message}\n${help}`);
    process.exit(2);
  }
}

export interface FoundMarket extends Market.MarketMeta {
  readonly asset: number;
}

export async function findMarket(client: HeddleClient, coin: string): Promise<FoundMarket> {
  const { universe } = await client.info({ type: 'meta' });
  const asset = universe.findIndex(({ name }) => name === coin);
  const meta = universe[asset];
  if (meta === undefined) {
    console.error(`there is no market ${coin}; there are ${universe.map(({ name }) => name).join(', ')}`);
    process.exit(1);
  }
  return { ...meta, asset };
}

/** Ends the process with a sentence if the key is none that an account trades with: then no order of it would ever be taken. */
export async function checkAccount(client: HeddleClient): Promise<void> {
  const user = client.address;
  const found = await client.info({ type: 'userRole', user });
  if (found.role === 'missing') {
    console.error(`there is no account ${user}: send it something first, or take a key that the node has printed`);
    process.exit(1);
  }
  if (found.role === 'agent') {
    console.error(
      `${user} is an agent of ${found.data.user}: this example wants the key of the account itself, whose position it looks at`,
    );
    process.exit(1);
  }
}

/** Resolves when the process is asked to stop. */
export function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
}
