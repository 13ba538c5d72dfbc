/**
 * Formats the AssemblyScript sources with Biome; without `--write`, only reports what it would change.
 *
 * Biome parses TypeScript, in which functions and constants have no decorators (`@inline`, `@lazy`). While it works, each decorator
 * that stands alone on its line is a line comment, which Biome leaves where it is. Lint is not for these files: its advice (===, no
 * `any` casts, names of globals) is about another language.
 */
import { spawnSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const DECORATOR = /^( *)@(?=\w+(\(.*\))?$)/gm;
const STAND_IN = /^( *)\/\/#decorator (?=\w+(\(.*\))?$)/gm;

const write = process.argv.includes('--write');
const files = globSync('src/**/assembly/**/*.ts', { cwd: root }).sort();
const copies = mkdtempSync(join(tmpdir(), 'heddle-format-'));
try {
  for (const file of files) {
    mkdirSync(dirname(join(copies, file)), { recursive: true });
    writeFileSync(join(copies, file), readFileSync(join(root, file), 'utf8').replace(DECORATOR, '$1//#decorator '));
  }
  const { formatter, javascript } = JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8'));
  writeFileSync(join(copies, 'biome.json'), JSON.stringify({ root: true, formatter, javascript }));
  const biome = join(root, 'node_modules/.bin/biome');
  const { status, stdout, stderr } =
    files.length === 0
      ? { status: 0, stdout: '', stderr: '' }
      : spawnSync(biome, ['format', ...(write ? ['--write'] : []), 'src'], { cwd: copies, encoding: 'utf8' });
  if (write) {
    for (const file of files) {
      const formatted = readFileSync(join(copies, file), 'utf8').replace(STAND_IN, '$1@');
      if (formatted !== readFileSync(join(root, file), 'utf8')) writeFileSync(join(root, file), formatted);
    }
  }
  if (status !== 0) {
    console.error(`${stdout}${stderr}${write ? '' : 'Run: npm run format\n'}`);
    process.exitCode = 1;
  } else {
    console.log(`${files.length} AssemblyScript files are formatted`);
  }
} finally {
  rmSync(copies, { recursive: true });
}
