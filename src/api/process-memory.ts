/**
 * Resident memory of a process, by what is behind its pages, where the system says so (Linux).
 *
 *   anonymous   the process's own: heaps, buffers, rows of the views, stacks, and of the ledger's shared memory, which is reserved at once, what was touched
 *   file        pages of files that are mapped: the store's and the program's; the system takes them back when it needs them
 *   shared      shared memory of several processes, and mapped files of a file system in memory; a node makes none itself
 */
import { readFileSync } from 'node:fs';

export interface ProcessMemory {
  readonly anonymousBytes: number;
  readonly fileBytes: number;
  readonly sharedBytes: number;
}

const KIB = 1024;

/** Undefined: the system does not say, or has no such process. */
export function processMemory(pid: number | 'self' = 'self'): ProcessMemory | undefined {
  let status: string;
  try {
    status = readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return undefined;
  }
  return memoryOfStatus(status);
}

/** Of the text of /proc/PID/status. */
export function memoryOfStatus(status: string): ProcessMemory | undefined {
  const bytes = (name: string): number => KIB * Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]);
  const memory = { anonymousBytes: bytes('RssAnon'), fileBytes: bytes('RssFile'), sharedBytes: bytes('RssShmem') };
  return Object.values(memory).every(Number.isFinite) ? memory : undefined;
}
