/**
 * A node as a process: its log, and its end when the system asks for it.
 * Invariant: SIGINT and SIGTERM stop in order, once; a second one ends the process at once. Logs go to standard error and hold no key and no signature.
 */
import { type Logger, pino } from 'pino';

export function openLog(level: string): Logger {
  // Nothing that is logged has these fields; if something ever does, it is not written.
  const secret = ['privateKey', 'signature', '*.privateKey', '*.signature'];
  return pino({ level, base: null, redact: secret }, pino.destination({ fd: 2, sync: true }));
}

/** Says so if others can reach the node: nobody should find out by surprise. */
export function warnIfOpen(host: string, log: Logger): void {
  if (LOOPBACK.has(host)) return;
  log.warn({ host }, 'the node can be reached from other machines: put a proxy with TLS in front of it');
}

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);

/** Resolves with the name of the signal. */
export function stopSignal(): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  const first = (signal: NodeJS.Signals): void => {
    resolve(signal);
    for (const name of SIGNALS) {
      process.off(name, first);
      process.once(name, () => process.exit(EXIT_FORCED));
    }
  };
  for (const name of SIGNALS) process.on(name, first);
  return promise;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const EXIT_FORCED = 130;
