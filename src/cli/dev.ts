/**
 * `heddle dev`: a node to develop against, with funded accounts whose keys are printed, a dozen markets, and makers and takers in them.
 * What another start finds in the folder it goes on with.
 */
import { NodeService } from '../api/node-service.ts';
import { HeddleError } from '../base/errors.ts';
import { devnetGenesis, FUNDED_ACCOUNTS } from '../devnet/devnet-genesis.ts';
import { devnetAccount } from '../devnet/devnet-keys.ts';
import { DEVNET_MARKETS } from '../devnet/devnet-markets.ts';
import { startSimulation } from '../devnet/simulation-loop.ts';
import { createFolder, genesisHash, readGenesis } from '../node/index.ts';
import { type NodeArguments, serviceOptions } from './node-options.ts';
import { openLog, stopSignal, warnIfOpen } from './node-process.ts';
import { brokenPipeline } from './start.ts';

export interface DevArguments extends NodeArguments {
  readonly simulation: 'on' | 'off';
  readonly seed: number;
  readonly intervalMs: number;
  /** Recordings whose prices the first markets follow. */
  readonly marketData?: readonly string[];
}

/** Prints, and ends when the process is told to. */
export async function dev(options: DevArguments, configuration: string): Promise<void> {
  const log = openLog(options.logLevel);
  warnIfOpen(options.host, log);
  await openDevnet(options.folder);
  const service = await NodeService.start({ ...serviceOptions(options), development: true, clock: Date.now, log });
  const stopped = stopSignal();
  try {
    const simulation =
      options.simulation === 'on'
        ? await startSimulation({
            pipeline: service.pipeline,
            seed: options.seed,
            intervalMs: options.intervalMs,
            clock: Date.now,
            recordings: options.marketData ?? [],
            onError: (error) => log.error({ err: error }, 'the simulation could not go on'),
          })
        : undefined;
    process.stdout.write(`${welcome(service.url, options, configuration)}\n`);
    const reason = await Promise.race([stopped, brokenPipeline(service)]);
    process.stdout.write(`\n${reason}: stopping\n`);
    await simulation?.stop();
  } finally {
    await service.close();
  }
  process.stdout.write(`stopped at block ${service.views.height}; another start goes on from there\n`);
}

async function openDevnet(folder: string): Promise<void> {
  const genesis = devnetGenesis();
  try {
    const found = await readGenesis(folder);
    if (Buffer.compare(genesisHash(found), genesisHash(genesis)) === 0) return;
  } catch (error) {
    if (!(error instanceof HeddleError) || error.code !== 'NO_FOLDER') throw error;
    await createFolder(folder, genesis);
    return;
  }
  throw new HeddleError(
    'WRONG_CHAIN',
    `${folder} holds another chain than the development chain of this version: choose another with --folder, or remove it`,
  );
}

function welcome(url: string, options: DevArguments, configuration: string): string {
  const accounts = Array.from({ length: FUNDED_ACCOUNTS }, (_, i) => devnetAccount(i));
  const stream = `${url.replace('http', 'ws')}/ws`;
  const markets = DEVNET_MARKETS.map(({ name, maxLeverage }) => `${name} ${maxLeverage}x`).join(', ');
  return [
    `Heddle is running: ${url}`,
    '',
    'Accounts, 1,000,000 USDC of collateral each at the start. Everybody knows these keys: never use them for anything of value.',
    ...accounts.map(({ address, privateKey }, i) => `  ${String(i).padStart(2)}  ${address}  key ${privateKey}`),
    '',
    `Markets: ${markets}`,
    options.simulation === 'on' ? 'Makers quote and takers trade in all of them.' : 'Nobody trades but you.',
    `Data: ${options.folder} (remove it to start anew)`,
    '',
    `Configuration in force:\n${configuration}`,
    '',
    'Ask it something:',
    `  curl -s ${url}/info -H 'content-type: application/json' -d '{"type":"allMids"}'`,
    'Trade on it with what you have, changing the address only:',
    `  Python SDK          Exchange(account, base_url="${url}")`,
    `  ccxt                new ccxt.hyperliquid({ walletAddress, privateKey, options: { sandboxMode: true },`,
    `                        urls: { api: { public: "${url}", private: "${url}", ws: { public: "${stream}" } } } })`,
    `  @nktkas/hyperliquid new HttpTransport({ apiUrl: "${url}", isTestnet: true })`,
    `  streams             ${stream}`,
    'docs/api.md and docs/api-actions.md say what is answered, docs/operating.md how to run a node for others. Ctrl+C stops.',
  ].join('\n');
}
