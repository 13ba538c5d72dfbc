/**
 * The options of the simulator's commands: whole numbers, each with a default. `--help` prints the usage and ends the process; an option that is not
 * known and a value that is no number from `least` on end it with a sentence, the usage and exit code 1.
 */
import { parseArgs } from 'node:util';

export interface NumberOption {
  readonly default: number;
  readonly least: number;
}

/** `command`: the script's name in package.json. */
export function readNumbers<Name extends string>(command: string, options: Readonly<Record<Name, NumberOption>>): Record<Name, number> {
  const names = Object.keys(options) as Name[];
  const usage = `usage: npm run ${command} -- ${names.map((name) => `[--${name} ${options[name].default}]`).join(' ')}`;
  if (process.argv.includes('--help')) {
    console.log(usage);
    process.exit(0);
  }
  try {
    const spec = names.map((name) => [name, { type: 'string' as const, default: String(options[name].default) }]);
    const values: Readonly<Record<string, unknown>> = parseArgs({ options: Object.fromEntries(spec) }).values;
    return Object.fromEntries(names.map((name) => [name, numberOf(name, values[name] as string, options[name].least)])) as Record<
      Name,
      number
    >;
  } catch (error) {
    console.error(`error: ${(error as Error).message}\n${usage}`);
    process.exit(1);
  }
}

function numberOf(name: string, text: string, least: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(Number.isSafeInteger(value) && value >= least))
    throw new Error(`--${name} is ${text}: it has to be a whole number from ${least} on`);
  return value;
}
