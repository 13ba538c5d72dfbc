import type { Checks } from './checks.ts';

export async function ccxtChecks(_checks: Checks, _folder: string, _url: string): Promise<void> {}
