/** Checks of one client, one after the other, and the table of all of them. A check passes if it does not throw; the ones behind it run anyway. */
export interface CheckResult {
  readonly client: string;
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** Why it failed or was skipped. */
  readonly detail: string;
}

const CHECK_MS = 20_000;
const DETAIL_MAX = 300;

export class Checks {
  readonly results: CheckResult[] = [];
  private readonly client: string;

  constructor(client: string) {
    this.client = client;
  }

  /** What the check found, for those behind it; undefined if it failed. */
  async run<T>(name: string, check: () => Promise<T>): Promise<T | undefined> {
    try {
      const found = await withTimeout(check());
      this.results.push({ client: this.client, name, outcome: 'passed', detail: '' });
      return found;
    } catch (error) {
      const detail = (error instanceof Error ? error.message : String(error)).split('\n')[0] as string;
      this.results.push({ client: this.client, name, outcome: 'failed', detail: detail.slice(0, DETAIL_MAX) });
      return undefined;
    }
  }

  /** Passes if the client reports an error with these words. */
  refused(name: string, words: string, check: () => Promise<unknown>): Promise<unknown> {
    return this.run(name, async () => {
      let answer: unknown;
      try {
        answer = await check();
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        if (text.includes(words)) return;
        throw error;
      }
      throw new Error(`not refused: ${JSON.stringify(answer)}`);
    });
  }

  /** What was found elsewhere. */
  add(result: Omit<CheckResult, 'client'>): void {
    this.results.push({ client: this.client, ...result });
  }

  skip(name: string, reason: string): void {
    this.results.push({ client: this.client, name, outcome: 'skipped', detail: reason });
  }
}

function withTimeout<T>(doing: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer in ${CHECK_MS / 1000} s`)), CHECK_MS);
    doing.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** The value at a path of keys; throws if there is none. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let found = value;
  for (const key of path) {
    found = (Object(found) as Record<string | number, unknown>)[key];
    if (found === undefined) throw new Error(`no ${path.join('.')} in ${JSON.stringify(value)?.slice(0, DETAIL_MAX)}`);
  }
  return found;
}

export function must(condition: unknown, what: string): void {
  if (!condition) throw new Error(what);
}

export function tableOf(results: readonly CheckResult[]): string {
  const rows = results.map(({ client, name, outcome, detail }) => [client, name, outcome, detail]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => (row[column] as string).length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
