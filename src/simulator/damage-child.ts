/** A node in a folder that was damaged: comes up and stops. Prints the hash of its last header, or the code of its error. Started by damage.ts. */
import { HeddleError } from '../base/errors.ts';
import { openFolder } from '../node/index.ts';
import { SAMPLE_ENGINE } from '../node/sample-folder.ts';

const [dir] = process.argv.slice(2) as [string];
try {
  const pipeline = await openFolder(dir, { model: 'serial', engine: SAMPLE_ENGINE });
  const { settled } = pipeline;
  await pipeline.close();
  console.log(Buffer.from(settled?.hash ?? []).toString('hex'));
} catch (error) {
  if (!(error instanceof HeddleError)) throw error;
  console.log(`error ${error.code}`);
}
