/** Arguments of the command, checked. */
import { availableParallelism, tmpdir } from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import { HeddleError } from '../base/errors.ts';
import { type BenchSettings, requireVariant, type Shape, VARIANTS } from './settings.ts';

export interface BenchArguments {
  /** Names of benchmarks in the order of the catalogue. */
  readonly names: readonly string[];
  readonly list: boolean;
  readonly json: boolean;
  readonly report?: string;
  readonly settings: BenchSettings;
}

interface Options {
  list?: boolean;
  json?: boolean;
  report?: string;
  quick?: boolean;
  rounds?: number;
  workers: number[];
  models?: string[];
  accounts: number[];
  shapes: Shape[];
  work?: number[];
  blockSize: number;
  commands?: number;
  rates: number[];
  latency: boolean;
  latencySeconds?: number;
  data: string;
  folder: string;
  seed: number;
}

const ROUNDS = 11;
const QUICK_ROUNDS = 3;
const COMMANDS = 3_000_000;
const QUICK_COMMANDS = 300_000;
const LATENCY_SECONDS = 2;
const QUICK_LATENCY_SECONDS = 0.25;
const WORKERS_MAX = 64;
const DATA = '../shared/data';

/** `argv` without program and script. Throws HeddleError BAD_ARGUMENT, UNKNOWN_BENCHMARK. */
export function parseArguments(argv: readonly string[], catalogue: readonly string[]): BenchArguments {
  const command = benchCommand(catalogue);
  command.parse([...argv], { from: 'user' });
  const options = command.opts<Options>();
  const name = command.args[0];
  const list = options.list === true;
  const settings: BenchSettings = {
    rounds: options.rounds ?? (options.quick ? QUICK_ROUNDS : ROUNDS),
    warmUps: options.quick ? 1 : 2,
    quick: options.quick === true,
    workers: [...new Set(options.workers)].sort((a, b) => a - b),
    ...(options.models === undefined ? {} : { variants: options.models }),
    accounts: options.accounts,
    shapes: options.shapes,
    ...(options.work === undefined ? {} : { workMicros: options.work }),
    blockSize: options.blockSize,
    commands: options.commands ?? (options.quick ? QUICK_COMMANDS : COMMANDS),
    rates: options.latency ? options.rates : [],
    latencySeconds: options.latencySeconds ?? (options.quick ? QUICK_LATENCY_SECONDS : LATENCY_SECONDS),
    dataFolder: options.data,
    folder: options.folder,
    seed: options.seed,
  };
  return {
    names: list ? [] : requireNames(name, catalogue),
    list,
    json: options.json === true,
    ...(options.report === undefined ? {} : { report: options.report }),
    settings,
  };
}

function requireNames(name: string | undefined, catalogue: readonly string[]): readonly string[] {
  const choices = `${catalogue.join(', ')}, all`;
  if (name === undefined) throw new HeddleError('BAD_ARGUMENT', `which benchmark? There are: ${choices}`);
  if (name === 'all') return catalogue;
  if (catalogue.includes(name)) return [name];
  throw new HeddleError('UNKNOWN_BENCHMARK', `there is no benchmark '${name}'; there are: ${choices}`);
}

function benchCommand(catalogue: readonly string[]): Command {
  return new Command('bench')
    .description('Measures the models of execution on the same work.')
    .argument('[name]', `one of: ${catalogue.join(', ')}, all`)
    .option('--list', 'say what benchmarks there are')
    .option('--json', 'print one JSON object instead of tables')
    .option('--report <file.html>', 'write a page with charts')
    .addOption(new Option('--rounds <n>', `rounds that medians are taken over (default: ${ROUNDS})`).argParser(wholeNumber(1, 1000)))
    .option('--quick', `${QUICK_ROUNDS} rounds and shorter flows: for a look, not for a figure`)
    .addOption(
      new Option('--workers <list>', 'numbers of workers to compare')
        .argParser(listOf(wholeNumber(1, WORKERS_MAX)))
        .default([...new Set([1, Math.min(2, availableParallelism())])]),
    )
    .addOption(new Option('--models <list>', `what to measure beside serial: ${Object.keys(VARIANTS).join('; ')}`).argParser(variantNames))
    .addOption(
      new Option('--accounts <list>', 'transfers: numbers of accounts')
        .argParser(listOf(wholeNumber(2, 4_000_000)))
        .default([2, 10, 100, 1000, 10_000, 1_000_000]),
    )
    .addOption(new Option('--shapes <list>', 'transfers: wide, narrow or both').argParser(listOf(shape)).default(['wide', 'narrow']))
    .addOption(new Option('--work <list>', 'extra work per transaction in microseconds').argParser(listOf(notNegative)))
    .addOption(new Option('--block-size <n>', 'transactions in a block').argParser(wholeNumber(1, 65536)).default(10_000))
    .addOption(
      new Option('--commands <n>', `book, markets, compression: commands of a flow (default: ${COMMANDS})`).argParser(
        wholeNumber(1, 20_000_000),
      ),
    )
    .addOption(
      new Option('--rates <list>', 'book, markets: input rates for latencies, commands a second')
        .argParser(listOf(wholeNumber(1, 100_000_000)))
        .default([100_000, 500_000, 1_000_000, 2_000_000, 5_000_000]),
    )
    .addOption(new Option('--latency-seconds <s>', `length of the input of a latency (default: ${LATENCY_SECONDS})`).argParser(notNegative))
    .option('--no-latency', 'book, markets: no latencies')
    .addOption(new Option('--data <folder>', 'compression: where recordings are').default(DATA))
    .addOption(
      new Option('--folder <folder>', 'journal, pipeline, recovery: where they write, on the disk to measure').default(
        tmpdir(),
        'the folder for temporary files',
      ),
    )
    .addOption(new Option('--seed <n>', 'seed of all generated work').argParser(wholeNumber(0, Number.MAX_SAFE_INTEGER)).default(1))
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .allowExcessArguments(false);
}

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text.replaceAll('_', ''));
    if (text !== '' && Number.isInteger(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It has to be a whole number from ${least} to ${most}.`);
  };
}

function notNegative(text: string): number {
  const value = Number(text);
  if (text !== '' && Number.isFinite(value) && value >= 0) return value;
  throw new InvalidArgumentError('It has to be a number that is not negative.');
}

function shape(text: string): Shape {
  if (text === 'wide' || text === 'narrow') return text;
  throw new InvalidArgumentError('It has to be wide or narrow.');
}

function listOf<T>(parse: (text: string) => T): (text: string) => T[] {
  return (text) => text.split(',').map((part) => parse(part.trim()));
}

/** Names of variants have a comma inside: `deterministic, list`. */
function variantNames(text: string): string[] {
  return text.split(/[;,](?!\s*(?:list|recording)\b)/).map((part) => {
    try {
      return requireVariant(part.trim().replace(/,\s*/, ', '));
    } catch (error) {
      throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
    }
  });
}
