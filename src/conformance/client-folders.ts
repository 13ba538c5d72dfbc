/**
 * Installs the clients, in exact versions, into a temporary folder that the next run finds again.
 * Invariant: what is installed is what was published. Not here: what is done with them.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const NPM_CLIENTS = { ccxt: '4.5.84', '@nktkas/hyperliquid': '0.33.3', viem: '2.57.20' };
const PYTHON_CLIENT = 'hyperliquid-python-sdk==0.24.0';
const INSTALL_MS = 300_000;

/** A client that could not be installed: why, for the table. */
export class NotInstalled extends Error {}

const folderOf = (name: string): string => join(tmpdir(), `heddle-conformance-${name}`);

/** The folder of the npm clients. Throws NotInstalled. */
export async function npmClients(): Promise<string> {
  const folder = folderOf(`npm-${Object.values(NPM_CLIENTS).join('-')}`);
  if (existsSync(folder)) return folder;
  const making = `${folder}.${process.pid}`;
  await mkdir(making, { recursive: true });
  await writeFile(join(making, 'package.json'), JSON.stringify({ private: true, dependencies: NPM_CLIENTS }));
  await installed(making, folder, 'npm', ['install', '--prefix', making, '--ignore-scripts', '--no-audit', '--no-fund']);
  return folder;
}

/** The Python of an environment that has the SDK. Throws NotInstalled. */
export async function pythonClient(): Promise<string> {
  const folder = folderOf(`python-${PYTHON_CLIENT.replaceAll(/[^\w.]+/g, '-')}`);
  const python = join(folder, 'bin', 'python');
  const mark = join(folder, 'complete');
  if (existsSync(mark)) return python;
  await rm(folder, { recursive: true, force: true });
  // An environment cannot be moved, so a mark says that it is complete.
  await run('python3', ['-m', 'venv', folder]);
  await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', PYTHON_CLIENT]);
  await writeFile(mark, '');
  return python;
}

/** A module of the folder, as a program in it would load it. */
export async function importFrom(folder: string, name: string): Promise<Record<string, unknown>> {
  const { resolve } = createRequire(join(folder, 'package.json'));
  return import(pathToFileURL(resolve(name)).href);
}

async function installed(making: string, folder: string, program: string, args: readonly string[]): Promise<void> {
  try {
    await run(program, args);
    await rename(making, folder);
  } catch (error) {
    await rm(making, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
}

function run(program: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: INSTALL_MS });
    let errors = '';
    child.stderr.on('data', (data) => {
      errors += data;
    });
    child.on('error', (error) => reject(new NotInstalled(`${program}: ${error.message}`)));
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new NotInstalled(`${program} ended with ${code}: ${errors.trim().split('\n').at(-1) ?? ''}`));
    });
  });
}
