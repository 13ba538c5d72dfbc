/** The commands of the simulator explain themselves, and refuse what they do not know in one sentence, without a stack. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

function run(main: string, ...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [join(import.meta.dirname, main), ...args], { encoding: 'utf8' });
}

for (const [main, command, option] of [
  ['main.ts', 'prove', 'seeds'],
  ['kill-main.ts', 'kill', 'kills'],
  ['damage-main.ts', 'damage', 'seed'],
] as const) {
  test(`${command}: help, an unknown option, no number`, () => {
    const help = run(main, '--help');
    assert.equal(help.status, 0);
    assert.match(help.stdout, new RegExp(`^usage: npm run ${command} -- .*\\[--${option} \\d+\\]`));
    for (const [args, message] of [
      [['--nothing'], /^error: Unknown option '--nothing'/],
      [['more'], /^error: Unexpected argument 'more'/],
      [[`--${option}`, '1.5'], new RegExp(`^error: --${option} is 1\\.5: it has to be a whole number from 1 on\\nusage: `)],
      [[`--${option}`, '0'], /from 1 on/],
      [[`--${option}`, ''], /whole number/],
    ] as const) {
      const { status, stdout, stderr } = run(main, ...args);
      assert.equal(status, 1, args.join(' '));
      assert.equal(stdout, '');
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /\n {4}at /);
    }
  });
}
