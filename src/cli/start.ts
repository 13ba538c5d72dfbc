/**
 * `heddle start`: a node for others to rely on. Nothing is funded and nothing simulated: the chain is the one of the folder, or starts from the
 * genesis that is given.
 */
import { readFileSync } from 'node:fs';
import { NodeService } from '../api/node-service.ts';
import { HeddleError } from '../base/errors.ts';
import { createFolder, decodeGenesis, genesisHash, readGenesis } from '../node/index.ts';
import { type NodeArguments, serviceOptions } from './node-options.ts';
import { openLog, stopSignal, warnIfOpen } from './node-process.ts';

export interface StartArguments extends NodeArguments {
  /** Needed where the folder has no chain yet. */
  readonly genesis?: string;
}

/** Ends when the process is told to. */
export async function start(options: StartArguments, configuration: string): Promise<void> {
  const log = openLog(options.logLevel);
  warnIfOpen(options.host, log);
  await openChain(options);
  log.info({ configuration: JSON.parse(configuration) }, 'configuration in force');
  const service = await NodeService.start({ ...serviceOptions(options), development: false, clock: Date.now, log });
  const stopped = stopSignal();
  process.stdout.write(`heddle listens on ${service.url}, data in ${options.folder}\n`);
  log.info({ url: service.url, height: service.views.height, signatures: service.signatureBackend }, 'started');
  log.info({ signal: await Promise.race([stopped, brokenPipeline(service)]) }, 'stopping');
  await service.close();
  log.info({ height: service.views.height }, 'stopped');
}

const WATCH_MS = 1000;

/** Resolves when nothing more can be confirmed: the process ends with the error then, and whoever watches it starts it again. */
export function brokenPipeline(service: NodeService): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const timer = setInterval(() => {
    if (service.pipeline.broken === undefined) return;
    clearInterval(timer);
    resolve('the pipeline is broken');
  }, WATCH_MS);
  timer.unref();
  return promise;
}

/** Makes the folder from the genesis file if there is no chain in it. Throws WRONG_CHAIN, NO_FOLDER, BAD_GENESIS and what the folder throws. */
async function openChain({ folder, genesis: path }: StartArguments): Promise<void> {
  const given = path === undefined ? undefined : readGenesisFile(path);
  try {
    const found = await readGenesis(folder);
    if (given === undefined || Buffer.compare(genesisHash(found), genesisHash(given)) === 0) return;
  } catch (error) {
    if (!(error instanceof HeddleError) || error.code !== 'NO_FOLDER') throw error;
    if (given === undefined) {
      throw new HeddleError('NO_FOLDER', `${folder} has no chain yet: give the genesis that it starts from with --genesis FILE`, {
        cause: error,
      });
    }
    await createFolder(folder, given);
    return;
  }
  throw new HeddleError('WRONG_CHAIN', `${folder} holds a chain that started from another genesis than ${path}: choose another folder`);
}

/** Blanks between values are the writer's affair. */
function readGenesisFile(path: string): ReturnType<typeof decodeGenesis> {
  let text: string;
  try {
    text = JSON.stringify(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    throw new HeddleError('BAD_GENESIS', `cannot read the genesis ${path}: ${(cause as Error).message}`, { cause });
  }
  return decodeGenesis(new TextEncoder().encode(text), path);
}
