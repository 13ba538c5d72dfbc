/** The Python SDK: `sdk-checks.py` runs in an environment of its own and reports a line of JSON for each check. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { devnetAccount } from '../devnet/devnet-keys.ts';
import type { CheckResult, Checks } from './checks.ts';

const RUN_MS = 180_000;
/** Accounts that the checks of the other clients leave alone. */
const ACCOUNTS = [8, 9];

export async function pythonChecks(checks: Checks, python: string, url: string): Promise<void> {
  const script = new URL('./sdk-checks.py', import.meta.url).pathname;
  const keys = ACCOUNTS.map((index) => devnetAccount(index).privateKey);
  const child = spawn(python, [script, url, ...keys], { stdio: ['ignore', 'pipe', 'pipe'], timeout: RUN_MS });
  let errors = '';
  child.stderr.on('data', (data) => {
    errors += data;
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  for await (const line of createInterface(child.stdout)) {
    const found = parsed(line);
    if (found !== undefined) checks.add(found);
  }
  const code = await ended;
  if (code !== 0)
    checks.add({ name: 'the script', outcome: 'failed', detail: errors.trim().split('\n').at(-1) ?? `it ended with ${code}` });
}

/** The SDK itself prints as well. */
function parsed(line: string): Omit<CheckResult, 'client'> | undefined {
  if (!line.startsWith('{"name"')) return undefined;
  return JSON.parse(line);
}
