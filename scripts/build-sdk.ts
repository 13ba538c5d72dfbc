/**
 * Makes the npm package `heddle-sdk` in `build/heddle-sdk`: `src/sdk` and what it imports, as JavaScript with type declarations.
 *
 * Invariant: what is in it runs in browsers as it is (tests/sdk-package.test.ts), and depends on noble's two packages in the versions of this
 * repository. Publishing it is left to whoever may.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const DEPENDENCIES = ['@noble/curves', '@noble/hashes'];

/** The folder of the package. Throws with the compiler's words. */
export function buildSdk(): string {
  const folder = resolve(root, 'build/heddle-sdk');
  rmSync(folder, { recursive: true, force: true });
  const compiler = spawnSync(resolve(root, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.sdk.json'], { cwd: root, encoding: 'utf8' });
  if (compiler.status !== 0) throw new Error(`heddle-sdk does not compile:\n${compiler.stdout}${compiler.stderr}${compiler.error ?? ''}`);
  const { version, license, dependencies } = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8'));
  const manifest = {
    name: 'heddle-sdk',
    version,
    description: 'The client of a Heddle node, for Node.js and browsers.',
    license,
    type: 'module',
    sideEffects: false,
    exports: { '.': { types: './sdk/index.d.ts', default: './sdk/index.js' } },
    dependencies: Object.fromEntries(DEPENDENCIES.map((name) => [name, dependencies[name]])),
  };
  writeFileSync(resolve(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  copyFileSync(resolve(root, 'LICENSE'), resolve(folder, 'LICENSE'));
  copyFileSync(resolve(root, 'src/sdk/README.md'), resolve(folder, 'README.md'));
  return folder;
}

if (import.meta.main) console.log(`heddle-sdk is in ${buildSdk()}`);
