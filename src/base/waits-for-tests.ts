/**
 * Waits of tests that have an end: what does not come fails the test in a sentence that says what it was, and not everything behind it by silence.
 *
 * The end is far beyond what anything takes on a machine that is busy: no test says by it how fast something is.
 */

const LONGEST_MS = 120_000;
const PAUSE_MS = 2;

interface WaitOptions {
  /** Between two looks; by itself two milliseconds. */
  readonly pause?: () => Promise<unknown>;
  readonly longestMs?: number;
}

const pauseShortly = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));

/** Looks again and again until there is something, which it returns: neither undefined nor false. `what`: what is waited for. */
export async function waitFor<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  { pause = pauseShortly, longestMs = LONGEST_MS }: WaitOptions = {},
): Promise<T> {
  const began = performance.now();
  while (true) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() - began > longestMs) throw new Error(`waited ${longestMs} ms in vain for ${what}`);
    await pause();
  }
}

/** What a promise resolves with, or rejects with, if it does. */
export async function soon<T>(what: string, promise: Promise<T>, longestMs = LONGEST_MS): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`waited ${longestMs} ms in vain for ${what}`)), longestMs);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
