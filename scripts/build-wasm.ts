/**
 * Compiles the hot code to `build/heddle.wasm`, with its text format beside it in `build/heddle.wat`, and checks that text.
 *
 * Does nothing when sources, flags and compiler are those of the last build that passed (a hash of their content, not of times:
 * a fresh clone and a switched branch must both be right). `--force` builds all the same.
 *
 * Invariant: `build/heddle.wasm` has passed the rules in wat-rules.ts; what fails them is left as `build/rejected.wat` to look at.
 */
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import asc from 'assemblyscript/asc';
import { jumpTablesWanted, watViolations } from './wat-rules.ts';

const root = resolve(import.meta.dirname, '..');
const ENTRY = 'src/execution/assembly/index.ts';

/**
 * Assertions stay on: with `--use abort=` a failed one is a trap, and its message costs nothing (there is no static data).
 * 1 MiB to 4 GiB: the host chooses the size when it creates the memory, in pages of 64 KiB.
 */
const FLAGS: readonly string[] = [
  ...['--runtime', 'stub', '--use', 'abort='],
  ...['--importMemory', '--sharedMemory', '--initialMemory', '16', '--maximumMemory', '65536'],
  ...['--enable', 'threads,simd,bulk-memory'],
  '-O3',
];

export interface Compiled {
  readonly wasm: Uint8Array;
  readonly wat: string;
}

/** Compiles `entry`, reading sources with `read` (path relative to the repository root; null when there is no such file). */
export async function compile(entry: string, read: (path: string) => string | null): Promise<Compiled> {
  const written = new Map<string, string | Uint8Array>();
  const { error, stderr } = await asc.main([entry, ...FLAGS, '--outFile', 'out.wasm', '--textFile', 'out.wat'], {
    readFile: read,
    writeFile: (name: string, contents: string | Uint8Array) => void written.set(name, contents),
    listFiles: () => [],
  });
  if (error) throw new Error(`asc: ${error.message}\n${stderr.toString()}`);
  return { wasm: written.get('out.wasm') as Uint8Array, wat: written.get('out.wat') as string };
}

function readSource(path: string): string | null {
  const absolute = resolve(root, path);
  return existsSync(absolute) ? readFileSync(absolute, 'utf8') : null;
}

/** Everything that the module is made of, in a fixed order. */
function sources(): string[] {
  return globSync(['src/**/assembly/**/*.ts', 'src/**/layout.ts', 'src/base/codes.ts'], { cwd: root }).sort();
}

function fingerprint(files: readonly string[]): string {
  const hash = createHash('sha256');
  const tools = ['scripts/build-wasm.ts', 'scripts/wat-rules.ts', 'node_modules/assemblyscript/package.json'];
  for (const file of [...files, ...tools]) hash.update(`${file}\0${readSource(file)}\0`);
  return hash.digest('hex');
}

/** Other processes may be loading the module: each file appears whole or not at all. */
function replaceFile(path: string, contents: string | Uint8Array): void {
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, contents);
  renameSync(temporary, path);
}

async function build(force: boolean): Promise<string> {
  const folder = join(root, 'build');
  const stamp = join(folder, 'heddle.sources');
  const files = sources();
  if (!files.includes(ENTRY)) throw new Error(`${ENTRY} is missing`);
  const current = fingerprint(files);
  const upToDate = existsSync(join(folder, 'heddle.wasm')) && existsSync(stamp) && readFileSync(stamp, 'utf8') === current;
  if (upToDate && !force) return 'build/heddle.wasm is up to date';

  // Not on standard output: that belongs to the command that is run after the build.
  console.error('compiling build/heddle.wasm, which takes half a minute or more; later starts find it');
  const started = performance.now();
  const { wasm, wat } = await compile(ENTRY, readSource);
  mkdirSync(folder, { recursive: true });
  const wanted = files.reduce((sum, file) => sum + jumpTablesWanted(readSource(file) ?? ''), 0);
  const violations = watViolations(wat, wanted);
  if (violations.length > 0) {
    writeFileSync(join(folder, 'rejected.wat'), wat);
    throw new Error(`the module breaks the rules of the kernel (see build/rejected.wat):\n  ${violations.join('\n  ')}`);
  }
  rmSync(join(folder, 'rejected.wat'), { force: true });
  replaceFile(join(folder, 'heddle.wasm'), wasm);
  replaceFile(join(folder, 'heddle.wat'), wat);
  replaceFile(stamp, current);
  return `build/heddle.wasm: ${wasm.length} bytes in ${((performance.now() - started) / 1000).toFixed(1)} s`;
}

if (import.meta.main) {
  try {
    console.error(await build(process.argv.includes('--force')));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
