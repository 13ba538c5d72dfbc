/**
 * `npm run conformance -- [--only NAME] [--failures]`: starts a node and runs other people's clients against it, unmodified. Prints a table; the exit code is 1
 * if something failed.
 */
import { parseArgs } from 'node:util';
import { ccxtChecks } from './ccxt-checks.ts';
import { type CheckResult, Checks, tableOf } from './checks.ts';
import { NotInstalled, npmClients, pythonClient } from './client-folders.ts';
import { startConformanceNode } from './conformance-node.ts';
import { nktkasChecks } from './nktkas-checks.ts';
import { pythonChecks } from './python-checks.ts';

const CLIENTS: readonly { readonly name: string; readonly run: (checks: Checks, url: string) => Promise<void> }[] = [
  { name: '@nktkas/hyperliquid', run: async (checks, url) => nktkasChecks(checks, await npmClients(), url) },
  { name: 'ccxt', run: async (checks, url) => ccxtChecks(checks, await npmClients(), url) },
  { name: 'hyperliquid-python-sdk', run: async (checks, url) => pythonChecks(checks, await pythonClient(), url) },
];

const { only, failures } = readOptions();
const results: CheckResult[] = [];
const node = await startConformanceNode();
try {
  for (const { name, run } of CLIENTS) {
    if (only !== undefined && !name.includes(only)) continue;
    const checks = new Checks(name);
    try {
      await run(checks, node.url);
    } catch (error) {
      if (!(error instanceof NotInstalled)) throw error;
      checks.skip('all', `not installed: ${error.message}`);
    }
    results.push(...checks.results);
  }
} finally {
  await node.close();
}
for (const fault of new Set(node.faults))
  results.push({ client: 'node', name: 'no mistakes of its own', outcome: 'failed', detail: fault });
console.log(tableOf(failures ? results.filter(({ outcome }) => outcome !== 'passed') : results));
const count = (outcome: CheckResult['outcome']): number => results.filter((result) => result.outcome === outcome).length;
console.log(`\n${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`);
if (count('failed') > 0) process.exitCode = 1;
// Clients may leave timers and sockets behind.
process.exit();

/** A run that would check no client is refused: it could not fail. */
function readOptions(): { readonly only: string | undefined; readonly failures: boolean } {
  const usage = 'usage: npm run conformance -- [--only NAME] [--failures], the second to see what has not passed alone';
  try {
    const { values } = parseArgs({ options: { only: { type: 'string' }, failures: { type: 'boolean' }, help: { type: 'boolean' } } });
    const { only, failures = false, help } = values;
    if (help) {
      console.log(usage);
      process.exit(0);
    }
    const names = CLIENTS.map(({ name }) => name);
    if (only !== undefined && !names.some((name) => name.includes(only)))
      throw new Error(`no client is ${only}; there are ${names.join(', ')}`);
    return { only, failures };
  } catch (error) {
    console.error(`error: ${(error as Error).message}\n${usage}`);
    process.exit(1);
  }
}
