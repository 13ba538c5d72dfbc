/**
 * How readily the system runs a thread while more want to run than there are cores: its nice value, which Linux has for each thread.
 *
 * Whoever works behind the others (the store) steps back when it begins: nobody waits for it until much has piled up. Measured with more orders than
 * two cores can take: 12,700 orders a second become 13,100. The threads of the state tree do not: a block waits for the one before to be in it.
 * Not here: which process goes before which; that is the operator's affair.
 */
import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';

/** Of a thread that others do not wait for. Anybody may go up to it. */
export const BACKGROUND_NICE = 10;

/**
 * Sets it for the calling thread alone: -20 (first) to 19 (last). False, with nothing changed: the system has none for threads, or does not allow
 * it; below 0 needs a right (CAP_SYS_NICE, or RLIMIT_NICE of 20 less the value).
 */
export function setThreadNice(nice: number): boolean {
  try {
    // Process and thread; only Linux has this link.
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    setPriority(thread, nice);
    return true;
  } catch {
    return false;
  }
}
