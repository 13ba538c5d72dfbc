/** The door of scenario. */
export { loadCalibration, REAL_DELEVERAGING_FILLS, REAL_LIQUIDATION_FILLS } from './calibration.ts';
export { CrashDay } from './crash-day.ts';
export { type CrashRun, runCrash } from './crash-run.ts';
