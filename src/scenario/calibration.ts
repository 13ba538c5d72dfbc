/**
 * What the scenario takes over from the real day: when the waves of deleveraging came, how large they were, which coins each of them hit
 * and how the closed volume spreads over coins and fills. Read from the tables of the 10 October 2025 cascade where they are at hand, else
 * from a few figures of our own (`built-in-calibration.ts`).
 *
 * The tables hold no prices and no accounts. How deep coins fall and who is levered how much is the scenario's (`price-path.ts`,
 * `population.ts`), chosen so that the share of accounts that each wave takes is the wave's share of fills.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HeddleError } from '../base/errors.ts';
import { builtInCalibration } from './built-in-calibration.ts';

export interface CrashWave {
  /** As the tables number them: waves without a deficit are not in them. */
  readonly number: number;
  /** Counted from the start of the first wave. */
  readonly startMs: number;
  readonly endMs: number;
  /** Deleveraging fills. */
  readonly fills: number;
}

export interface CrashCoin {
  /** Of all USD that deleveraging closed. */
  readonly share: number;
  /** For each wave how hard it hit the coin, around 1; 0: the coin was not in it. */
  readonly hits: readonly number[];
}

export interface Calibration {
  /** A sentence for people: where the figures come from. */
  readonly source: string;
  readonly builtIn: boolean;
  /** Start of the first wave, UTC. */
  readonly firstWaveMs: number;
  readonly waves: readonly CrashWave[];
  /** Largest share first. */
  readonly coins: readonly CrashCoin[];
  /** Mean size of a deleveraging fill. */
  readonly fillUsd: number;
  /** Deficits that winners paid for, over the volume that was closed. */
  readonly deficitShare: number;
}

/** Fills of the real day, for scale (protocol, 7.4). */
export const REAL_LIQUIDATION_FILLS = 63_637;
export const REAL_DELEVERAGING_FILLS = 34_983;

const WAVES_FILE = 'bad_debt_loser_waves.csv';
const SHOCKS_FILE = 'per_shock_metrics_queue.csv';

/** Throws BAD_TABLE if the tables are there and cannot be read. */
export async function loadCalibration(folder: string): Promise<Calibration> {
  const waveRows = await readTable(join(folder, WAVES_FILE), ['wave', 't_start_ms', 't_end_ms', 'n_rows', 'deficit_usd']);
  if (waveRows === undefined) return builtInCalibration(folder);
  const shockRows = await readTable(join(folder, SHOCKS_FILE), ['coin', 't_start', 't_end', 'budget_queue_usd']);
  if (shockRows === undefined) throw new HeddleError('BAD_TABLE', `${join(folder, SHOCKS_FILE)} is missing beside ${WAVES_FILE}`);
  const firstWaveMs = Math.min(...waveRows.map(([, start]) => Number(start)));
  const waves = waveRows.map(([number, start, end, fills]) => ({
    number: Number(number),
    startMs: Number(start) - firstWaveMs,
    endMs: Number(end) - firstWaveMs,
    fills: Number(fills),
  }));
  const shocks = shockRows.map(([coin, start, end, usd]) => ({
    coin: coin as string,
    middleMs: (Date.parse(start as string) + Date.parse(end as string)) / 2 - firstWaveMs,
    usd: Number(usd),
  }));
  const closed = shocks.reduce((sum, { usd }) => sum + usd, 0);
  const numbers = [...waves.flatMap((wave) => Object.values(wave)), ...shocks.flatMap(({ middleMs, usd }) => [middleMs, usd])];
  if (!numbers.every(Number.isFinite) || !(closed > 0) || waves.length === 0) {
    throw new HeddleError('BAD_TABLE', `the tables in ${folder} hold something else than numbers and times`);
  }
  return {
    source: `tables of the 10 October 2025 cascade: ${waves.length} waves, ${shocks.length} shocks of coins`,
    builtIn: false,
    firstWaveMs,
    waves,
    coins: coinsOf(shocks, waves),
    fillUsd: closed / REAL_DELEVERAGING_FILLS,
    deficitShare: Math.max(...waveRows.map(([, , , , deficit]) => Number(deficit))) / closed,
  };
}

/** Every shock belongs to the wave that is the nearest in time. */
function coinsOf(shocks: readonly { coin: string; middleMs: number; usd: number }[], waves: readonly CrashWave[]): CrashCoin[] {
  const closed = new Map<string, number[]>();
  for (const { coin, middleMs, usd } of shocks) {
    const distances = waves.map(({ startMs, endMs }) => Math.max(startMs - middleMs, middleMs - endMs, 0));
    const nearest = distances.indexOf(Math.min(...distances));
    const byWave = closed.get(coin) ?? waves.map(() => 0);
    byWave[nearest] = (byWave[nearest] as number) + usd;
    closed.set(coin, byWave);
  }
  const total = shocks.reduce((sum, { usd }) => sum + usd, 0);
  return [...closed.values()]
    .map((byWave) => {
      const most = Math.max(...byWave, 1);
      return {
        share: byWave.reduce((sum, usd) => sum + usd, 0) / total,
        hits: byWave.map((usd) => (usd === 0 ? 0 : 0.5 + (usd / most) ** 0.25)),
      };
    })
    .sort((a, b) => b.share - a.share);
}

/** Rows with the wanted columns, in their order; undefined if there is no such file. Values with commas or quotes do not occur. */
async function readTable(path: string, columns: readonly string[]): Promise<string[][] | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT' || (cause as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined;
    throw new HeddleError('BAD_TABLE', `cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
  const [head = '', ...lines] = text.trimEnd().split(/\r?\n/);
  const names = head.split(',');
  const places = columns.map((column) => names.indexOf(column));
  const missing = columns.filter((_, index) => (places[index] as number) < 0);
  if (missing.length > 0) throw new HeddleError('BAD_TABLE', `${path} has no column ${missing.join(', ')}`);
  return lines.map((line, index) => {
    const cells = line.split(',');
    if (cells.length !== names.length) {
      throw new HeddleError('BAD_TABLE', `${path}: line ${index + 2} has ${cells.length} values, its head ${names.length}`);
    }
    return places.map((place) => cells[place] as string);
  });
}
