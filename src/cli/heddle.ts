#!/usr/bin/env node
/** The command `heddle`: arguments and their bounds. What a subcommand does is in the file of its name. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { HeddleError } from '../base/errors.ts';
import { type DevArguments, dev } from './dev.ts';
import { printGenesis } from './genesis-template.ts';
import { type LoadArguments, load } from './load.ts';
import { addNodeOptions, applyConfigFile, effectiveConfiguration, integer, withEnvironment } from './node-options.ts';
import { proveKeys } from './prove.ts';
import { prune } from './prune.ts';
import { type ReplayArguments, replay } from './replay.ts';
import { type CrashArguments, crash } from './scenario.ts';
import { restore, snapshot } from './snapshot.ts';
import { type StartArguments, start } from './start.ts';
import { type VerifyArguments, verify } from './verify.ts';

const WORKERS_MAX = 64;
const MARKETS_MAX = 448;
const BLOCK_SIZE_MAX = 65_536;
const COMMANDS_MAX = 100_000_000;
const ACCOUNTS_LEAST = 200;
const ACCOUNTS_MAX = 600_000;
const SEED_MAX = 1_000_000_000;
const TRANSACTIONS_MAX = 10_000_000;
const IN_FLIGHT_MAX = 100_000;
const KEY_BYTES_MAX = 255;
const DAYS_MAX = 36_500;
/** Where the tables lie beside a checkout. */
const TABLES = '../shared/data/hyperliquid/adl-20251010';

/** Keys are given one after the other. */
function hexKeys(text: string, before: readonly Uint8Array[] = []): readonly Uint8Array[] {
  const digits = text.replace(/^0x/, '');
  if (!/^(?:[0-9a-f]{2})+$/i.test(digits) || digits.length > 2 * KEY_BYTES_MAX) {
    throw new InvalidArgumentError(`It must be 1 to ${KEY_BYTES_MAX} bytes in hexadecimal digits.`);
  }
  return [...before, new Uint8Array(Buffer.from(digits, 'hex'))];
}

const DEV_EXAMPLES = `
Examples:
  heddle dev                                   the chain in ./heddle-data, at http://127.0.0.1:3001
  heddle dev --folder other --port 3002        another one beside it
  heddle dev --simulation off                  an empty market: nobody trades but you
  HEDDLE_PORT=3002 heddle dev                  every option is also a variable of the environment`;

const START_EXAMPLES = `
Examples:
  heddle genesis > genesis.json                to be edited: accounts, reporters, markets
  heddle start --genesis genesis.json --folder /var/lib/heddle
  heddle start --config /etc/heddle.json       {"folder": "/var/lib/heddle", "port": 3001, "limits": "on"}
  HEDDLE_LOG_LEVEL=debug heddle start --config /etc/heddle.json`;

function readVersion(): string {
  return JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8')).version;
}

const PROVE_EXAMPLES = `
Keys are those of src/ledger/layout.ts and src/exchange/layout.ts: a byte for the class, then its numbers, big-endian.

Examples:
  heddle prove ./heddle-data 0100000003             the account with the number 3
  heddle prove ./heddle-data 120000000300000001     its position in market 1`;

function workersOption(): Option {
  return new Option('--workers <n>', 'worker threads')
    .argParser(integer(1, WORKERS_MAX))
    .default(Math.min(availableParallelism(), WORKERS_MAX));
}

function modelOption(): Option {
  return new Option('--model <model>', 'how blocks are executed')
    .choices(['serial', 'deterministic', 'optimistic', 'sharded', 'auto'])
    .default('auto');
}

const program = new Command('heddle')
  .description('A ledger that executes in parallel, with a derivatives exchange built into it.')
  .version(readVersion(), '--version', 'print the version');

addNodeOptions(program.command('dev'), { limits: 'off', logLevel: 'warn' })
  .description('Runs a node to develop against: funded accounts with known keys, a dozen markets, makers and takers in them.')
  .addOption(withEnvironment(new Option('--simulation <switch>', 'whether somebody trades').choices(['on', 'off']).default('on')))
  .addOption(withEnvironment(new Option('--seed <n>', 'other prices and trades').argParser(integer(0, SEED_MAX)).default(1)))
  .addOption(withEnvironment(new Option('--interval-ms <n>', 'time between prices').argParser(integer(50, 60_000)).default(1000)))
  .addOption(
    withEnvironment(new Option('--market-data <files...>', 'raw recordings whose prices the first markets follow, in their order')),
  )
  .addHelpText('after', DEV_EXAMPLES)
  .action((options: DevArguments, command: Command) => dev(options, effectiveConfiguration(command)));

addNodeOptions(program.command('start'), { limits: 'on', logLevel: 'info' })
  .description('Runs a node for others: nothing is funded, nothing simulated.')
  .addOption(withEnvironment(new Option('--config <file>', 'JSON object of the other options, without their dashes')))
  .addOption(withEnvironment(new Option('--genesis <file>', 'what the chain starts from, where the folder has none yet')))
  .addHelpText('after', START_EXAMPLES)
  .action((given: StartArguments & { config?: string }, command: Command) => {
    if (given.config !== undefined) applyConfigFile(command, given.config);
    return start(command.opts<StartArguments>(), effectiveConfiguration(command));
  });

program.command('genesis').description('Prints the genesis of the development chain, to start from when writing one.').action(printGenesis);

program
  .command('replay')
  .description('Replays recordings of a market through the exchange, and checks its order book against the recorded one at every update.')
  .argument(
    '[files...]',
    'raw recordings (plain or gzip): a perpetual is the market, a spot market its oracle; without files a generated flow is run',
  )
  .addOption(modelOption())
  .addOption(workersOption())
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
  .addOption(workersOption())
  .option('--seed <n>', 'another day of the same kind', integer(0, SEED_MAX), 1)
  .option('--data <folder>', 'tables of the real day; without them built-in figures are used', TABLES)
  .option('--compare', 'run the same day serially and optimistically too, and compare')
  .option('--report <file>', 'write an HTML report')
  .option('--json', 'print one JSON object instead of the summary')
  .action((options: CrashArguments) => crash(options));

program
  .command('load')
  .description(
    'Sends transfers and orders through the node of a folder, and says how fast they are confirmed and settled. The folder is made if it ' +
      'is not there; another run goes on where the last one has ended.',
  )
  .argument('<folder>', "the node's folder")
  .option('--transactions <n>', 'how many are sent', integer(1, TRANSACTIONS_MAX), 100_000)
  .option('--seed <n>', 'other transactions of the same kind', integer(0, SEED_MAX), 1)
  .option('--in-flight <n>', 'the most that are sent and not yet confirmed', integer(1, IN_FLIGHT_MAX), 10_000)
  .option('--keep-days <days>', 'remove bodies and receipts of blocks that are older; without it all are kept', integer(0, DAYS_MAX))
  .addOption(modelOption())
  .addOption(workersOption())
  .option('--json', 'print one JSON object instead of the summary')
  .action((folder: string, options: LoadArguments) => load(folder, options));

program
  .command('verify')
  .description(
    'Verifies what a node has on disk while it is not running: every checksum of the journal, every header, body and receipt against a ' +
      'second execution of the journal, and the records of the store against the state root.',
  )
  .argument('<folder>', "the node's folder")
  .addOption(modelOption())
  .addOption(workersOption())
  .option('--json', 'print one JSON object instead of the summary')
  .action((folder: string, options: VerifyArguments) => verify(folder, options));

program
  .command('prune')
  .description(
    'Removes bodies and receipts of old blocks of a node that is not running. Headers stay, and so does the state; blocks that are gone cannot be ' +
      'executed again. (The journal goes by whole files: its newest stays.) A running node prunes by itself (`start --keep-days`).',
  )
  .argument('<folder>', "the node's folder")
  .option('--keep-days <days>', 'blocks of so many days are kept', integer(0, DAYS_MAX), 30)
  .option('--json', 'print one JSON object instead of the summary')
  .action((folder: string, options: { keepDays: number; json?: boolean }) => prune(folder, options));

program
  .command('snapshot')
  .description('Writes the state of a node that is not running, with the header that it belongs to, to a file.')
  .argument('<folder>', "the node's folder")
  .argument('<file>', 'the snapshot')
  .action((folder: string, file: string) => snapshot(folder, file));

program
  .command('restore')
  .description(
    "Makes a node's folder from a snapshot, verified chunk by chunk against the state root of its header. Compare the header hash that is " +
      'printed with that of a node that you trust.',
  )
  .argument('<file>', 'the snapshot')
  .argument('<folder>', 'a folder that is empty or not there')
  .action((file: string, folder: string) => restore(file, folder));

program
  .command('prove')
  .description('Proves which records some keys have in the state of a node that is not running, or that they have none; prints JSON.')
  .argument('<folder>', "the node's folder")
  .argument('<keys...>', 'keys of records: class, then the bytes of the key, hexadecimal', hexKeys)
  .addHelpText('after', PROVE_EXAMPLES)
  .action((folder: string, keys: readonly Uint8Array[]) => proveKeys(folder, keys));

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof HeddleError)) throw error;
  process.stderr.write(`error: ${error.message}\n`);
  process.exitCode = 1;
}
