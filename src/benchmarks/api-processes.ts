/**
 * The two processes of the benchmark `api`: a node as `heddle start` runs it, and the client that loads it.
 * Invariant: both are ended, whatever comes of the measurement.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ProcessMemory, processMemory } from '../api/process-memory.ts';
import { HeddleError } from '../base/errors.ts';
import { encodeGenesis } from '../node/index.ts';
import type { ClientMessage, ClientOrder, LoadOrder } from './api-client.ts';
import type { LoadResult } from './api-load.ts';
import { apiGenesis } from './api-requests.ts';

/** Of the node, since its start. */
export interface NodeUse {
  /** Seconds of processor time: of the thread that serves and executes, and of all others (signatures, journal, garbage collection). */
  readonly mainSeconds: number;
  readonly otherSeconds: number;
}

const CLOCK_TICKS = 100;

export class NodeProcess {
  readonly url: string;
  private readonly child: ChildProcess;

  private constructor(child: ChildProcess, url: string) {
    this.child = child;
    this.url = url;
  }

  /** `folder`: empty. Throws NODE_NOT_STARTED. */
  static async start(folder: string, signatureThreads: number, nodeArguments: readonly string[] = []): Promise<NodeProcess> {
    const genesis = join(folder, 'genesis.json');
    writeFileSync(genesis, encodeGenesis(apiGenesis()));
    const program = fileURLToPath(new URL('../cli/heddle.ts', import.meta.url));
    const options = ['--port', '0', '--workers', '1', '--model', 'serial', '--limits', 'off', '--log-level', 'warn'];
    const places = ['--genesis', genesis, '--folder', join(folder, 'chain'), '--signature-threads', String(signatureThreads)];
    const child = spawn(process.execPath, [...nodeArguments, program, 'start', ...options, ...places], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const url = await new Promise<string>((resolve, reject) => {
      let output = '';
      child.stdout?.on('data', (piece) => {
        output += piece;
        const found = /listens on (http:\S+),/.exec(output)?.[1];
        if (found !== undefined) resolve(found);
      });
      child.once('close', (code) => reject(new HeddleError('NODE_NOT_STARTED', `the node ended with ${code} at its start: ${output}`)));
    });
    return new NodeProcess(child, url);
  }

  /** Undefined where the system does not say. */
  use(): NodeUse | undefined {
    const { pid } = this.child;
    try {
      const seconds = new Map(readdirSync(`/proc/${pid}/task`).map((task) => [task, secondsOf(`/proc/${pid}/task/${task}/stat`)]));
      const mainSeconds = seconds.get(String(pid)) ?? 0;
      const all = [...seconds.values()].reduce((sum, value) => sum + value, 0);
      return { mainSeconds, otherSeconds: all - mainSeconds };
    } catch {
      return undefined;
    }
  }

  /** Undefined where the system does not say. */
  memory(): ProcessMemory | undefined {
    return this.child.pid === undefined ? undefined : processMemory(this.child.pid);
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.child.once('close', resolve));
    if (this.child.exitCode !== null || !this.child.kill('SIGTERM')) return;
    await closed;
  }
}

/** User and system time are the 14th and 15th field; the second may have blanks in it. */
function secondsOf(path: string): number {
  const fields = readFileSync(path, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS;
}

export class ClientProcess {
  private readonly child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.child = child;
  }

  static async start(seed: number): Promise<ClientProcess> {
    const client = new ClientProcess(fork(new URL('./api-client.ts', import.meta.url), [String(seed)]));
    await client.next();
    return client;
  }

  /** Signs the requests of an order, as far as they are missing. Throws LOAD_FAILED. */
  async prepare(order: LoadOrder): Promise<void> {
    await this.ask({ kind: 'prepare', order });
  }

  /** Throws LOAD_FAILED. */
  async load(order: LoadOrder): Promise<LoadResult> {
    const message = await this.ask({ kind: 'load', order });
    if (message.kind !== 'result') throw new HeddleError('LOAD_FAILED', `the client answers ${message.kind}`);
    return message.result;
  }

  private async ask(order: ClientOrder): Promise<ClientMessage> {
    const answer = this.next();
    this.child.send(order);
    const message = await answer;
    if (message.kind === 'failed') throw new HeddleError('LOAD_FAILED', `the client failed: ${message.text}`);
    return message;
  }

  stop(): void {
    if (this.child.connected) this.child.disconnect();
  }

  private next(): Promise<ClientMessage> {
    return new Promise((resolve, reject) => {
      const ended = (): void => reject(new HeddleError('LOAD_FAILED', 'the client has ended'));
      this.child.once('exit', ended);
      this.child.once('message', (message) => {
        this.child.off('exit', ended);
        resolve(message as ClientMessage);
      });
    });
  }
}
