/**
 * The fast gate: everything that can be said about the repository without running it for long. The same one locally and in CI.
 *
 * All checks run, also after one has failed: one look shows everything that is wrong. They run side by side; none depends on
 * another's result.
 */
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');

const CHECKS: readonly { readonly name: string; readonly command: readonly string[] }[] = [
  { name: 'wasm: build and rules of its text', command: ['node', 'scripts/build-wasm.ts'] },
  { name: 'types', command: ['tsc'] },
  { name: 'format and lint', command: ['biome', 'check', '--error-on-warnings'] },
  { name: 'format of AssemblyScript', command: ['node', 'scripts/format-assembly.ts'] },
  { name: 'unused files, exports, packages', command: ['knip'] },
  { name: 'tidy', command: ['node', '--test', '--test-reporter=dot', 'tests/tidy.test.ts', 'tests/tidy-canary.test.ts'] },
];

/** Lines of a failed check that are shown. */
const LINES_MAX = 80;

interface Outcome {
  readonly passed: boolean;
  readonly output: string;
  readonly seconds: number;
}

function run(command: readonly string[]): Promise<Outcome> {
  const started = performance.now();
  return new Promise((done) => {
    const [file, ...rest] = command;
    const child = spawn(resolve(root, 'node_modules/.bin', file as string), rest, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const finish = (passed: boolean): void => done({ passed, output, seconds: (performance.now() - started) / 1000 });
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('error', (error) => {
      output += `${error.message}\nRun: npm install\n`;
      finish(false);
    });
    child.on('close', (code) => finish(code === 0));
  });
}

const outcomes = await Promise.all(CHECKS.map(({ command }) => run(command)));
outcomes.forEach(({ passed, output }, index) => {
  const { name, command } = CHECKS[index] as (typeof CHECKS)[number];
  if (passed) return;
  const lines = output.trim().split('\n');
  const rest = lines.length - LINES_MAX;
  console.log(`\n${name}:\n${lines.slice(0, LINES_MAX).join('\n')}`);
  if (rest > 0) console.log(`... and ${rest} lines more: npm exec -- ${command.join(' ')}`);
});
console.log();
outcomes.forEach(({ passed, seconds }, index) => {
  console.log(`${passed ? 'ok  ' : 'FAIL'} ${CHECKS[index]?.name} (${seconds.toFixed(1)} s)`);
});
if (outcomes.some(({ passed }) => !passed)) process.exitCode = 1;
