/** What the dashboard, the alerts and the page for operators speak of is measured, under these names. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { Counter, Histogram, Registry } from 'prom-client';
import { Random } from '../base/random.ts';
import { Metrics } from './metrics.ts';
import { processMemory } from './process-memory.ts';
import { PairCounter, SecondsHistogram } from './request-metrics.ts';

const ROOT = resolve(import.meta.dirname, '../..');

const metrics = new Metrics({
  waiting: () => 1,
  signatures: () => 2,
  ordered: () => 3,
  unsettled: () => 4,
  height: () => 5,
  memoryFree: () => 12,
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

interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[];
}

/** Expressions of the dashboard and of the alerts, by where they stand. */
function expressions(): (readonly [place: string, expression: string])[] {
  const { panels } = JSON.parse(readFileSync(join(ROOT, 'deploy/grafana-dashboard.json'), 'utf8')) as Dashboard;
  const alerts = readFileSync(join(ROOT, 'deploy/alerts.yml'), 'utf8');
  return [
    ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const)),
    ...[...alerts.matchAll(/alert: (\w+)\s+expr: (.*)/g)].map(([, name = '', expr = '']) => [name, expr] as const),
  ];
}

test('expressions ask for labels that their metrics have', () => {
  const found = expressions();
  assert.ok(found.length > 30);
  const labels = new Map(
    metrics.registry.getMetricsAsArray().map((metric) => [metric.name, (metric as unknown as { labelNames: string[] }).labelNames]),
  );
  for (const [place, expression] of found) {
    const names = expression.match(/\bheddle_[a-z0-9_]+/g) ?? [];
    const had = new Set(names.flatMap((name) => labels.get(name) ?? labels.get(name.replace(/_(?:bucket|count|sum)$/, '')) ?? []));
    // These three come with buckets and with scraping.
    for (const label of ['le', 'instance', 'job']) had.add(label);
    const asked = [
      ...[...expression.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(',')),
      ...[...expression.matchAll(/(\w+)=~?"/g)].map(([, label = '']) => label),
    ];
    for (const label of asked) assert.ok(had.has(label.trim()), `${place}: ${label} in ${expression}`);
  }
});

test('what is added and divided keeps the labels of scraping: without them two sides never match, and a panel stays empty', () => {
  for (const [place, expression] of expressions()) {
    if (/ [-+*/] /.test(expression)) assert.doesNotMatch(expression, /\bsum ?\(/, `${place}: ${expression}`);
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
    ['heddle_ledger_memory_free_bytes', 12],
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

test('resident memory is told apart where the system does', async () => {
  const memory = processMemory();
  const text = await metrics.registry.metrics();
  for (const kind of ['anonymous', 'file', 'shared']) {
    const value = new RegExp(`^heddle_process_memory_bytes\\{kind="${kind}"\\} (\\d+)$`, 'm').exec(text)?.[1];
    assert.equal(value !== undefined, memory !== undefined, kind);
    if (kind === 'anonymous' && memory !== undefined) assert.ok(Number(value) > memory.anonymousBytes / 2);
  }
});

test('what is counted for every request is scraped as the package would have counted it', async () => {
  const random = new Random(7);
  // The order of label values is that in which they were first seen.
  const lines = (text: string): string[] => text.split('\n').sort();
  const bounds = [0.001, 0.5, 1, 10];
  const [own, theirs] = [new Registry(), new Registry()];
  const registers = [theirs];
  const pairs = new PairCounter(own, 'pairs_total', 'Pairs.', ['route', 'status']);
  const theirPairs = new Counter({ name: 'pairs_total', help: 'Pairs.', labelNames: ['route', 'status'], registers });
  const plain = new SecondsHistogram(own, 'plain_seconds', 'Plain.', bounds);
  const theirPlain = new Histogram({ name: 'plain_seconds', help: 'Plain.', buckets: bounds, registers });
  const labelled = new SecondsHistogram(own, 'labelled_seconds', 'Labelled.', bounds, 'route');
  const theirLabelled = new Histogram({ name: 'labelled_seconds', help: 'Labelled.', labelNames: ['route'], buckets: bounds, registers });
  for (let scrape = 0; scrape < 3; scrape++) {
    // Also before anything was counted; and a scrape takes nothing away.
    assert.deepEqual(lines(await own.metrics()), lines(await theirs.metrics()));
    for (let i = 0; i < 200; i++) {
      const route = random.chance(0.5) ? 'info' : 'exchange';
      const status = random.chance(0.5) ? 200 : 429;
      const seconds = i < bounds.length ? (bounds[i] as number) : random.below(12_000) / 1000;
      pairs.inc(route, status);
      theirPairs.inc({ route, status });
      plain.observe(seconds);
      theirPlain.observe(seconds);
      labelled.observe(seconds, route);
      theirLabelled.observe({ route }, seconds);
    }
  }
});
