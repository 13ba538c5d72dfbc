/**
 * `npm run conformance [-- --only NAME]`: starts a node and runs other people's clients against it, unmodified. Prints a table; the exit code is 1
 * if something failed.
 */
import { parseArgs } from 'node:util';
import { ccxtChecks } from './ccxt-checks.ts';
import { type CheckResult, Checks, tableOf } from './checks.ts';
import { NotInstalled, npmClients, pythonClient } from './client-folders.ts';
import { startConformanceNode } from './conformance-node.ts';
import { nktkasChecks } from './nktkas-checks.ts';
import { pythonChecks } from './python-checks.ts';

const { values } = parseArgs({ options: { only: { type: 'string' }, failures: { type: 'boolean' } } });

const CLIENTS: readonly { readonly name: string; readonly run: (checks: Checks, url: string) => Promise<void> }[] = [
  { name: '@nktkas/hyperliquid', run: async (checks, url) => nktkasChecks(checks, await npmClients(), url) },
  { name: 'ccxt', run: async (checks, url) => ccxtChecks(checks, await npmClients(), url) },
  { name: 'hyperliquid-python-sdk', run: async (checks, url) => pythonChecks(checks, await pythonClient(), url) },
];

const results: CheckResult[] = [];
const node = await startConformanceNode();
try {
  for (const { name, run } of CLIENTS) {
    if (values.only !== undefined && !name.includes(values.only)) continue;
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
console.log(tableOf(values.failures ? results.filter(({ outcome }) => outcome !== 'passed') : results));
const count = (outcome: CheckResult['outcome']): number => results.filter((result) => result.outcome === outcome).length;
console.log(`\n${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`);
if (count('failed') > 0) process.exitCode = 1;
// Clients may leave timers and sockets behind.
process.exit();
