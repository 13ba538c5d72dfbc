/** The files of deploy/ name options that `heddle start` has. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';

const ROOT = resolve(import.meta.dirname, '../..');
const deployed = (file: string): string => readFileSync(join(ROOT, 'deploy', file), 'utf8');

test('options in the configuration, in the unit and in the image are options of the node', () => {
  const help = execFileSync(process.execPath, [join(ROOT, 'src/cli/heddle.ts'), 'start', '--help'], { encoding: 'utf8' });
  const options = new Set(help.match(/^ {2}--[a-z-]+/gm)?.map((option) => option.trim()));
  const variables = new Set(help.match(/\bHEDDLE_[A-Z_]+/g));
  assert.ok(options.size > 15 && variables.size === options.size);
  const configured = Object.keys(JSON.parse(deployed('heddle.json')));
  const inUnit = /^ExecStart=.* start (.*)$/m.exec(deployed('heddle.service'))?.[1]?.match(/--[a-z-]+/g) ?? [];
  const inImage =
    deployed('Dockerfile')
      .match(/\bheddle start .*/)?.[0]
      .match(/--[a-z-]+/g) ?? [];
  assert.ok(configured.length > 4 && inUnit.length > 0 && inImage.length > 0);
  for (const option of [...configured.map((name) => `--${name}`), ...inUnit, ...inImage]) assert.ok(options.has(option), option);
  const set = deployed('Dockerfile').match(/\bHEDDLE_[A-Z_]+/g) ?? [];
  assert.ok(set.length > 0);
  for (const variable of set) assert.ok(variables.has(variable), variable);
});
