/** A bar on standard error while something runs; quiet when nobody watches. */
import { SingleBar } from 'cli-progress';

export async function withProgress<T>(name: string, run: (onProgress: (done: number, steps: number) => void) => Promise<T>): Promise<T> {
  if (!process.stderr.isTTY) return run(() => {});
  const bar = new SingleBar({
    stream: process.stderr,
    format: `${name.padEnd(16)} {bar} {percentage} %`,
    hideCursor: true,
    clearOnComplete: true,
  });
  let started = false;
  try {
    return await run((done, steps) => {
      if (!started) bar.start(steps, 0);
      started = true;
      bar.update(done);
    });
  } finally {
    if (started) bar.stop();
  }
}
