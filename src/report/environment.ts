/** Facts about this machine for the head of a report. */
import { availableParallelism, cpus } from 'node:os';
import type { Environment } from './page.ts';

export function readEnvironment(): Environment {
  const cpu = cpus()[0]
    ?.model.replace(/\((?:R|TM)\)/g, '')
    .replace(/\s+/g, ' ')
    .trim();
  return { cpu: cpu === undefined || cpu === '' ? 'unknown processor' : cpu, cores: availableParallelism(), node: process.version };
}
