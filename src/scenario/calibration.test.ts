import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { loadCalibration } from './calibration.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-calibration-'));
after(() => rmSync(folder, { recursive: true }));

const WAVES = `wave,t_start_ms,t_end_ms,n_rows,unique_losers,deficit_usd,max_loss_usd
1,1760130964831,1760130964831,900,1,500.5,500.5
3,1760130984831,1760130989831,100,9,20.25,8
`;
const SHOCKS = `coin,cluster_id,t_start,t_end,deficit_usd,total_capacity_usd,budget_queue_usd
BIG,1,2025-10-10 21:16:04.831000+00:00,2025-10-10 21:16:04.831000+00:00,1,1,8000
BIG,2,2025-10-10 21:16:25.000000+00:00,2025-10-10 21:16:27.000000+00:00,1,1,1000
SMALL,1,2025-10-10 21:16:30.000000+00:00,2025-10-10 21:16:30.000000+00:00,1,1,1000
`;

function tables(waves: string, shocks: string): string {
  const path = mkdtempSync(join(folder, 'tables-'));
  writeFileSync(join(path, 'bad_debt_loser_waves.csv'), waves);
  writeFileSync(join(path, 'per_shock_metrics_queue.csv'), shocks);
  return path;
}

test('tables become waves and coins', async () => {
  const calibration = await loadCalibration(tables(WAVES, SHOCKS));
  assert.equal(calibration.builtIn, false);
  assert.equal(calibration.firstWaveMs, 1760130964831);
  assert.deepEqual(calibration.waves, [
    { number: 1, startMs: 0, endMs: 0, fills: 900 },
    { number: 3, startMs: 20000, endMs: 25000, fills: 100 },
  ]);
  const [big, small] = calibration.coins;
  assert.equal(big?.share, 0.9);
  assert.equal(big?.hits[0], 1.5);
  assert.ok((big?.hits[1] as number) > 0.5 && (big?.hits[1] as number) < 1.5);
  assert.deepEqual(small?.hits, [0, 1.5]);
  assert.equal(calibration.deficitShare, 500.5 / 10000);
});

test('without tables there are figures of our own, which say so', async () => {
  const calibration = await loadCalibration(join(folder, 'nowhere'));
  assert.equal(calibration.builtIn, true);
  assert.match(calibration.source, /built-in figures.*nowhere/);
  assert.equal(calibration.waves.length, 16);
  assert.equal(calibration.coins.length, 162);
  const shares = calibration.coins.reduce((sum, { share }) => sum + share, 0);
  assert.ok(Math.abs(shares - 1) < 1e-9);
  assert.ok(calibration.waves.every(({ startMs, endMs, fills }) => endMs >= startMs && fills > 0));
});

test('tables that are damaged are refused with their place', async () => {
  for (const [waves, shocks, message] of [
    [WAVES.replace('n_rows', 'rows'), SHOCKS, /bad_debt_loser_waves\.csv has no column n_rows/],
    [WAVES, SHOCKS.replace(',8000', ''), /per_shock_metrics_queue\.csv: line 2 has 6 values, its head 7/],
    [WAVES, SHOCKS.replace('8000', 'many'), /something else than numbers/],
    [WAVES, SHOCKS.replaceAll('2025-10-10', 'then'), /something else than numbers/],
  ] as const) {
    await assert.rejects(loadCalibration(tables(waves, shocks)), (error: { code: string; message: string }) => {
      assert.equal(error.code, 'BAD_TABLE');
      assert.match(error.message, message);
      return true;
    });
  }
});

const real = resolve(import.meta.dirname, '../../../shared/data/hyperliquid/adl-20251010');
const skip = existsSync(real) ? false : 'the tables of the real day are not here';

test('the tables of the real day, and the built-in figures beside them', { skip }, async () => {
  const calibration = await loadCalibration(real);
  const builtIn = await loadCalibration(join(folder, 'nowhere'));
  assert.equal(calibration.waves.length, 16);
  assert.equal(calibration.coins.length, 162);
  assert.match(calibration.source, /16 waves, 1125 shocks/);
  const share = ({ waves }: typeof calibration, wave: number) =>
    (waves[wave]?.fills as number) / waves.reduce((sum, { fills }) => sum + fills, 0);
  calibration.waves.forEach((wave, index) => {
    assert.equal(builtIn.waves[index]?.number, wave.number);
    assert.ok(Math.abs((builtIn.waves[index]?.startMs as number) - wave.startMs) <= 1000);
    assert.ok(Math.abs(share(builtIn, index) - share(calibration, index)) < 0.001);
  });
});
