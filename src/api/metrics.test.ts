/** What the dashboard, the alerts and the page for operators speak of is measured, under these names. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { Metrics } from './metrics.ts';

const ROOT = resolve(import.meta.dirname, '../..');

const metrics = new Metrics({
  waiting: () => 1,
  signatures: () => 2,
  ordered: () => 3,
  unsettled: () => 4,
  height: () => 5,
  settledHeight: () => 6,
  connections: () => 7,
  feeds: () => 8,
  subscriptions: () => 9,
  underWay: () => 10,
  heldRefusals: () => 11,
});

test('names in the dashboard, in alerts and in the docs are those of metrics', () => {
  const known = new Set(metrics.registry.getMetricsAsArray().map(({ name }) => name));
  for (const file of ['deploy/grafana-dashboard.json', 'deploy/alerts.yml', 'docs/operating.md']) {
    const text = readFileSync(join(ROOT, file), 'utf8');
    const names = new Set(text.match(/\bheddle_[a-z0-9_]+/g) ?? []);
    assert.ok(names.size >= 4, file);
    for (const name of names) assert.ok(known.has(name) || known.has(name.replace(/_(?:bucket|count|sum)$/, '')), `${file}: ${name}`);
  }
});

test('what is sampled is read when somebody asks', async () => {
  const text = await metrics.registry.metrics();
  for (const [name, value] of [
    ['heddle_waiting_transactions', 1],
    ['heddle_waiting_signatures', 2],
    ['heddle_ordered_blocks', 3],
    ['heddle_unsettled_blocks', 4],
    ['heddle_height', 5],
    ['heddle_settled_height', 6],
    ['heddle_stream_connections', 7],
    ['heddle_stream_feeds', 8],
    ['heddle_stream_subscriptions', 9],
    ['heddle_actions_under_way', 10],
    ['heddle_held_refusals', 11],
  ] as const) {
    assert.match(text, new RegExp(`^${name} ${value}$`, 'm'));
  }
});
