/**
 * Options of a node that serves: the same on the command line, in the environment (HEDDLE_...) and in a configuration file.
 *
 * The command line goes before the environment, that before the file, and the file before the defaults.
 * Invariant: what a file says is checked as what is typed is, and a name in it that is not known is refused.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { admissionDefaults } from '../api/admission-control.ts';
import type { NodeServiceOptions } from '../api/node-service.ts';
import { limitDefaults } from '../api/rate-limits.ts';
import { streamLimits } from '../api/stream-connection.ts';
import { HeddleError } from '../base/errors.ts';
import type { ModelChoice } from '../execution/api.ts';

export interface NodeArguments {
  readonly folder: string;
  readonly host: string;
  readonly port: number;
  readonly chain: 'Mainnet' | 'Testnet';
  readonly workers: number;
  readonly model: ModelChoice;
  readonly signatureThreads: number;
  readonly signatureNice?: number;
  readonly waitingMax: number;
  readonly blockTransactions: number;
  readonly memoryMib: number;
  readonly underWay: number;
  readonly underWayBytes: number;
  readonly keepDays?: number;
  readonly limits: 'on' | 'off';
  readonly weightPerMinute: number;
  readonly addressRequests: number;
  readonly weightSeller?: string;
  readonly bodyBytes: number;
  readonly connections: number;
  readonly streams: number;
  readonly replayMessages: number;
  readonly logLevel: string;
}

const WORKERS_MAX = 64;
const PORT_MAX = 65_535;
const COUNT_MAX = 1_000_000_000;
/** All that 32 bits address. */
const MEMORY_MIB_MAX = 4096;
const ENVIRONMENT = 'HEDDLE_';

export function integer(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most)) throw new InvalidArgumentError(`It must be an integer from ${least} to ${most}.`);
    return value;
  };
}

function niceValue(text: string): number {
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= -20 && value <= 19)) throw new InvalidArgumentError('It must be an integer from -20 to 19.');
  return value;
}

function address(text: string): string {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) throw new InvalidArgumentError('It must be 0x and 40 hexadecimal digits.');
  return text.toLowerCase();
}

/** An option with its name in the environment. */
export function withEnvironment(option: Option): Option {
  return option.env(`${ENVIRONMENT}${(option.long ?? '').slice(2).replaceAll('-', '_').toUpperCase()}`);
}

const cores = Math.min(availableParallelism(), WORKERS_MAX);

/** Adds the options that both forms of the node have; defaults differ. */
export function addNodeOptions(command: Command, defaults: { readonly limits: 'on' | 'off'; readonly logLevel: string }): Command {
  const options = [
    new Option('--folder <folder>', 'where the chain is kept').default('./heddle-data'),
    new Option('--host <address>', 'address to listen on; anything but a loopback address opens the node to others').default('127.0.0.1'),
    new Option('--port <n>', 'port to listen on; 0: any that is free').argParser(integer(0, PORT_MAX)).default(3001),
    new Option('--chain <name>', 'chain that requests are signed for').choices(['Testnet', 'Mainnet']).default('Testnet'),
    new Option('--workers <n>', 'threads that execute blocks').argParser(integer(1, WORKERS_MAX)).default(cores),
    new Option('--model <model>', 'how blocks are executed')
      .choices(['serial', 'deterministic', 'optimistic', 'sharded', 'auto'])
      .default('auto'),
    new Option('--signature-threads <n>', 'threads that recover signers')
      .argParser(integer(1, WORKERS_MAX))
      .default(Math.max(1, Math.floor(cores / 2))),
    new Option('--signature-nice <n>', 'nice value of these threads, -20 (first) to 19; below 0 needs a right').argParser(niceValue),
    new Option('--waiting-max <n>', 'transactions that may wait for a block').argParser(integer(1, COUNT_MAX)).default(100_000),
    new Option('--block-transactions <n>', 'the most transactions of a block').argParser(integer(1, 65_536)).default(10_000),
    new Option('--memory-mib <n>', 'shared memory of the ledger, MiB: what is never touched takes none')
      .argParser(integer(1024, MEMORY_MIB_MAX))
      .default(2048),
    new Option('--keep-days <n>', 'how long bodies and receipts of blocks are kept; without it for ever').argParser(integer(1, 36_500)),
    new Option('--under-way <n>', 'actions that may be under way; beyond, they are refused')
      .argParser(integer(1, COUNT_MAX))
      .default(admissionDefaults.requests),
    new Option('--under-way-bytes <n>', 'bytes of the bodies of these').argParser(integer(1, COUNT_MAX)).default(admissionDefaults.bytes),
    new Option('--limits <switch>', 'whether rate limits and request budgets are enforced').choices(['on', 'off']).default(defaults.limits),
    new Option('--weight-per-minute <n>', 'request weight of an IP address in a minute')
      .argParser(integer(1, COUNT_MAX))
      .default(limitDefaults.weightPerMinute),
    new Option('--address-requests <n>', 'requests that every address has, before it has traded')
      .argParser(integer(0, COUNT_MAX))
      .default(limitDefaults.addressRequests),
    new Option('--weight-seller <address>', 'account that is paid for request weight; without it none is sold').argParser(address),
    new Option('--body-bytes <n>', 'the largest body of a request').argParser(integer(1024, COUNT_MAX)).default(1024 * 1024),
    new Option('--connections <n>', 'TCP connections at the same time').argParser(integer(1, COUNT_MAX)).default(4096),
    new Option('--streams <n>', 'WebSocket connections at the same time').argParser(integer(0, COUNT_MAX)).default(1024),
    new Option('--replay-messages <n>', 'messages of a subscription that are kept for who comes back')
      .argParser(integer(0, 100_000))
      .default(256),
    new Option('--log-level <level>', 'what is written to standard error')
      .choices(['silent', 'error', 'warn', 'info', 'debug'])
      .default(defaults.logLevel),
  ];
  for (const option of options) command.addOption(withEnvironment(option));
  return command;
}

/** Takes what the file says for options that neither the command line nor the environment gives. Throws BAD_CONFIG. */
export function applyConfigFile(command: Command, path: string): void {
  let file: unknown;
  try {
    file = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new HeddleError('BAD_CONFIG', `cannot read the configuration ${path}: ${(cause as Error).message}`, { cause });
  }
  if (typeof file !== 'object' || file === null || Array.isArray(file)) {
    throw new HeddleError('BAD_CONFIG', `the configuration ${path} is no JSON object of option names and values`);
  }
  for (const [name, value] of Object.entries(file)) {
    const option = command.options.find((candidate) => candidate.long === `--${name}`);
    if (option === undefined || name === 'config') throw new HeddleError('BAD_CONFIG', `${path} has an option ${name} that is not known`);
    const key = option.attributeName();
    const source = command.getOptionValueSource(key);
    if (source === 'cli' || source === 'env') continue;
    command.setOptionValueWithSource(key, parsed(option, value, path), 'config');
  }
}

function parsed(option: Option, value: unknown, path: string): unknown {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  try {
    return option.parseArg === undefined ? text : option.parseArg(text, undefined as never);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new HeddleError('BAD_CONFIG', `${path}: ${option.long?.slice(2)} is ${text}. ${error.message}`);
  }
}

const SECOND_MS = 1000;
const DAY_MS = 86_400_000;

/** What the service is started with. */
export function serviceOptions(options: NodeArguments): Omit<NodeServiceOptions, 'development' | 'clock' | 'log'> {
  return {
    folder: options.folder,
    host: options.host,
    port: options.port,
    chain: options.chain,
    limits: {
      ...limitDefaults,
      enforced: options.limits === 'on',
      weightPerMinute: options.weightPerMinute,
      addressRequests: options.addressRequests,
    },
    serverLimits: {
      bodyBytesMax: options.bodyBytes,
      depthMax: 32,
      requestMs: 10 * SECOND_MS,
      keepAliveMs: 65 * SECOND_MS,
      connectionsMax: options.connections,
      streamsMax: options.streams,
      streamsOfAddress: 10,
      newStreamsPerMinute: 30,
      messagesPerMinute: 2000,
      pulseMs: 30 * SECOND_MS,
      stream: streamLimits,
      admission: { requests: options.underWay, bytes: options.underWayBytes },
    },
    ...(options.weightSeller === undefined ? {} : { weightSeller: options.weightSeller }),
    signatureThreads: options.signatureThreads,
    ...(options.signatureNice === undefined ? {} : { signatureNice: options.signatureNice }),
    engine: {
      workers: options.workers,
      model: options.model,
      waitingMax: options.waitingMax,
      blockTransactions: options.blockTransactions,
      engine: { memoryMiB: options.memoryMib },
      ...(options.keepDays === undefined ? {} : { keepMs: options.keepDays * DAY_MS }),
    },
    replayMessages: options.replayMessages,
    keepFeedsMs: 60 * SECOND_MS,
  };
}

/** The options as they are in force, as a configuration file would have them. */
export function effectiveConfiguration(command: Command): string {
  const entries = command.options
    .filter(({ long }) => long !== '--config')
    .map((option) => [(option.long ?? '').slice(2), command.getOptionValue(option.attributeName())] as const)
    .filter(([, value]) => value !== undefined);
  return JSON.stringify(Object.fromEntries(entries), undefined, 2);
}
