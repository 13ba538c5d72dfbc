#!/usr/bin/env node
/** The command `heddle`: arguments and their bounds. What a subcommand does is in the file of its name. */
import { availableParallelism } from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import { HeddleError } from '../base/errors.ts';
import { type ReplayArguments, replay } from './replay.ts';
import { type CrashArguments, crash } from './scenario.ts';

const WORKERS_MAX = 64;
const MARKETS_MAX = 448;
const BLOCK_SIZE_MAX = 65_536;
const COMMANDS_MAX = 100_000_000;
const ACCOUNTS_LEAST = 200;
const ACCOUNTS_MAX = 600_000;
const SEED_MAX = 1_000_000_000;
/** Where the tables lie beside a checkout. */
const TABLES = '../shared/data/hyperliquid/adl-20251010';

function integer(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most)) throw new InvalidArgumentError(`It must be an integer from ${least} to ${most}.`);
    return value;
  };
}

function modelOption(): Option {
  return new Option('--model <model>', 'how blocks are executed')
    .choices(['serial', 'deterministic', 'optimistic', 'sharded', 'auto'])
    .default('auto');
}

const program = new Command('heddle').description('A ledger that executes in parallel, with a derivatives exchange built into it.');

program
  .command('replay')
  .description('Replays recordings of a market through the exchange, and checks its order book against the recorded one at every update.')
  .argument(
    '[files...]',
    'raw recordings (plain or gzip): a perpetual is the market, a spot market its oracle; without files a generated flow is run',
  )
  .addOption(modelOption())
  .option('--workers <n>', 'worker threads', integer(1, WORKERS_MAX), Math.min(availableParallelism(), WORKERS_MAX))
  .option('--markets <n>', 'markets that replay the recording, each from another place on', integer(1, MARKETS_MAX), 1)
  .option('--block-size <n>', 'the most transactions of a block', integer(1, BLOCK_SIZE_MAX), 10_000)
  .option('--commands <n>', 'length of the generated flow', integer(1, COMMANDS_MAX), 300_000)
  .option('--compare', 'run the same blocks under the other models too')
  .option('--report <file>', 'write an HTML report, which includes the comparison')
  .option('--json', 'print one JSON object instead of the summary')
  .action((files: string[], options: Omit<ReplayArguments, 'files'>) => replay({ ...options, files }));

program
  .command('scenario')
  .description('Runs a made-up day on the exchange.')
  .command('crash')
  .description(
    'A liquidation cascade calibrated on 10 October 2025: prices fall in waves, books thin out, and the system liquidates, takes over and ' +
      'deleverages. The state is audited on the way.',
  )
  .option('--accounts <n>', 'traders that are funded', integer(ACCOUNTS_LEAST, ACCOUNTS_MAX), 400_000)
  .option('--markets <n>', 'markets', integer(1, MARKETS_MAX), 168)
  .addOption(modelOption())
  .option('--workers <n>', 'worker threads', integer(1, WORKERS_MAX), Math.min(availableParallelism(), WORKERS_MAX))
  .option('--seed <n>', 'another day of the same kind', integer(0, SEED_MAX), 1)
  .option('--data <folder>', 'tables of the real day; without them built-in figures are used', TABLES)
  .option('--compare', 'run the same day serially and optimistically too, and compare')
  .option('--report <file>', 'write an HTML report')
  .option('--json', 'print one JSON object instead of the summary')
  .action((options: CrashArguments) => crash(options));

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof HeddleError)) throw error;
  process.stderr.write(`error: ${error.message}\n`);
  process.exitCode = 1;
}
