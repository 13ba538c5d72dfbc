/**
 * The calibration where the tables are not at hand: figures of our own, aggregated and rounded, and a generated spread over coins.
 *
 * Source of the figures: "autodeleveraging-analysis" by pluriholonomic (MIT), tables of Hyperliquid's cascade of 10 October 2025. None of
 * its rows is here: per wave the second of its start, its length, its share of all fills and how many of the 162 coins were in it.
 */
import { Random } from '../base/random.ts';
import type { Calibration, CrashCoin } from './calibration.ts';

/** Number, start (s from the first), length (s), share of the fills in 10^-4, coins. */
const WAVES: readonly (readonly [number, number, number, number, number])[] = [
  [1, 0, 0, 3620, 44],
  [2, 52, 0, 940, 41],
  [4, 69, 0, 380, 56],
  [5, 82, 0, 100, 28],
  [7, 131, 0, 7, 2],
  [8, 139, 3, 720, 72],
  [9, 148, 3, 32, 13],
  [10, 157, 3, 735, 98],
  [11, 166, 3, 262, 76],
  [12, 178, 0, 26, 15],
  [13, 184, 44, 2527, 146],
  [14, 240, 30, 609, 120],
  [17, 298, 16, 24, 6],
  [21, 366, 12, 8, 5],
  [25, 497, 9, 3, 3],
  [28, 571, 12, 12, 3],
];
const COINS = 162;
/** The share of the coin of rank r is proportional to (r + 9)^-2.6, r from 0: fitted. */
const SHARE_OFFSET = 8.9;
const SHARE_POWER = -2.6;
const FILLS = 31_000;
const FILL_USD = 19_000;
const DEFICIT_SHARE = 0.018;
const FIRST_WAVE_MS = Date.UTC(2025, 9, 10, 21, 16, 5);

export function builtInCalibration(folder: string): Calibration {
  const random = new Random(20251010);
  const weights = Array.from({ length: COINS }, (_, rank) => (rank + SHARE_OFFSET) ** SHARE_POWER);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const coins: CrashCoin[] = weights.map((weight, rank) => ({
    share: weight / sum,
    // The larger a coin, the more waves it was in.
    hits: WAVES.map(([, , , , touched]) => {
      const chance = Math.min(1, (2 * touched * (COINS - rank)) / COINS ** 2);
      return random.chance(chance) ? 0.8 + random.below(700) / 1000 : 0;
    }),
  }));
  return {
    source: `built-in figures of the 10 October 2025 cascade (its tables are not in ${folder})`,
    builtIn: true,
    firstWaveMs: FIRST_WAVE_MS,
    waves: WAVES.map(([number, start, length, share]) => ({
      number,
      startMs: start * 1000,
      endMs: (start + length) * 1000,
      fills: Math.round((share / 10_000) * FILLS),
    })),
    coins,
    fillUsd: FILL_USD,
    deficitShare: DEFICIT_SHARE,
  };
}
