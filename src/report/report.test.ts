import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderBenchmarkReport, renderCrashReport, renderReplayReport } from './index.ts';
import { formatCompact, formatMicros, formatNumber, formatRatio, formatTick } from './number-format.ts';
import { PALETTE } from './palette.ts';
import { sampleBenchmark, sampleCrash, sampleReplay, sampleTimeline } from './samples.ts';
import { busyShares, mergeTimeline, timelineWindow } from './timeline-chart.ts';

const pages = {
  replay: renderReplayReport(sampleReplay()),
  benchmark: renderBenchmarkReport(sampleBenchmark()),
  crash: renderCrashReport(sampleCrash()),
};

for (const [name, html] of Object.entries(pages)) {
  test(`${name}: loads nothing and runs nothing`, () => {
    assert.doesNotMatch(html, /<script|<link rel="stylesheet"|<img|@import|url\((?!#)/);
    const addresses = [...html.matchAll(/https?:\/\/[^"'\s<]+/g)].map(([address]) => address);
    assert.deepEqual([...new Set(addresses)], ['http://www.w3.org/2000/svg']);
  });

  test(`${name}: every tag is closed and every id unique`, () => {
    const open: string[] = [];
    for (const [, slash, tag = '', selfClosing] of html.matchAll(/<(\/?)([a-z][a-z0-9]*)\b(?:[^<>"]|"[^"]*")*?(\/?)>/gi)) {
      if (selfClosing === '/' || /^(meta|link|br|hr|img)$/.test(tag)) continue;
      if (slash === '/') assert.equal(open.pop(), tag);
      else open.push(tag);
    }
    assert.deepEqual(open, []);
    const ids = [...html.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    assert.equal(new Set(ids).size, ids.length);
  });

  test(`${name}: charts follow the colour scheme`, () => {
    assert.match(html, /prefers-color-scheme:dark/);
    const drawn = [...html.matchAll(/<svg[\s\S]*?<\/svg>/g)].map(([svg]) => svg).join('');
    assert.match(drawn, /fill="var\(--optimistic\)"|stroke="var\(--optimistic\)"/);
    assert.deepEqual(drawn.match(/(?:fill|stroke)="#[0-9a-f]{6}"/g), null);
  });

  test(`${name}: numbers are numbers`, () => assert.doesNotMatch(html, /NaN|undefined|Infinity|\[object/));
}

test('the same input gives the same file', () => {
  assert.equal(renderReplayReport(sampleReplay()), pages.replay);
  assert.equal(renderBenchmarkReport(sampleBenchmark()), pages.benchmark);
  assert.equal(renderCrashReport(sampleCrash()), pages.crash);
});

test('a benchmark of sizes has a table and no charts', () => {
  const sample = sampleBenchmark();
  const html = renderBenchmarkReport({ ...sample, sections: sample.sections.filter(({ name }) => name === 'compression') });
  assert.doesNotMatch(html, /<svg/);
  assert.match(html, /<td>columns, zstd<\/td><td class="number">3.94<\/td>/);
});

test('text from outside is escaped', () => {
  const html = renderReplayReport({
    ...sampleReplay(),
    title: '<b>"x"</b>',
    summary: { '<i>': '<u>' },
    conflicts: [{ recordClass: '<s>&', count: 3 }],
  });
  assert.doesNotMatch(html, /<b>|<i>|<u>|<s>/);
  assert.match(html, /&lt;b&gt;/);
});

test('a replay without conflicts, timeline and checks still has a page', () => {
  const sample = sampleReplay();
  const html = renderReplayReport({
    ...sample,
    runs: sample.runs.slice(0, 1),
    conflicts: [],
    timeline: [],
    checks: { bookChecks: 0, bookMismatches: 0 },
  });
  assert.match(html, /No validation failed/);
  assert.doesNotMatch(html, /whole block/);
});

test('a mismatch and a noisy machine are said aloud', () => {
  assert.match(renderReplayReport({ ...sampleReplay(), checks: { bookChecks: 9, bookMismatches: 2 } }), /this run is wrong/);
  assert.match(pages.benchmark, /This run does not count/);
});

test('a crash day: waves are drawn once, volume is added up, and a day without anything still has a page', () => {
  const [, bands = ''] = /aria-label="Prices of some markets over the day"[^>]*>([\s\S]*?)<\/svg>/.exec(pages.crash) ?? [];
  assert.deepEqual(
    [...bands.matchAll(/<title>wave (\d+)<\/title>/g)].map(([, number]) => number),
    ['1', '2', '13'],
  );
  assert.match(pages.crash, /1 block later/);
  assert.match(pages.crash, /1\.54×/);
  const sample = sampleCrash();
  const quiet = renderCrashReport({
    ...sample,
    blocks: sample.blocks.map(({ timeMs }) => ({ timeMs, liquidatedUsd: 0, backstopUsd: 0, deleveragedUsd: 0 })),
    totals: { forcedEvents: 0, liquidations: 0, backstops: 0, deleveragings: 0, covers: 0 },
    waits: [],
    backstop: [],
    worstBlocksToAction: 0,
    runs: sample.runs.slice(0, 1),
  });
  assert.match(quiet, /same block/);
  assert.doesNotMatch(quiet, /NaN|undefined|Infinity/);
});

test('light colours are told apart', () => {
  const lights = Object.values(PALETTE).map(({ light }) => light);
  assert.equal(new Set(lights).size, lights.length);
});

test('a timeline of ten thousand executions becomes a small drawing', () => {
  const timeline = sampleTimeline(10_000, 4);
  const spans = mergeTimeline(timeline, 10);
  assert.ok(spans.length < 3000, `${spans.length}`);
  assert.equal(
    spans.reduce((sum, span) => sum + span.count, 0),
    10_000,
  );
  assert.ok(
    spans.every(
      (span, index) => index === 0 || span.worker !== spans[index - 1]?.worker || span.startMicros >= (spans[index - 1]?.startMicros ?? 0),
    ),
  );
  for (const share of busyShares(timeline).values()) assert.ok(share > 0 && share <= 1);
});

test('the window of a timeline holds the first repeated execution', () => {
  const timeline = sampleTimeline(2000, 2);
  const window = timelineWindow(timeline);
  const origin = Math.min(...timeline.map((entry) => entry.startMicros));
  const again = [...timeline].sort((a, b) => a.startMicros - b.startMicros).find((entry) => entry.incarnation > 1);
  assert.ok(window !== undefined && again !== undefined);
  assert.ok(again.startMicros - origin >= window.fromMicros && again.startMicros - origin <= window.toMicros);
  assert.equal(timelineWindow(sampleTimeline(20, 2)), undefined);
});

test('numbers as people read them', () => {
  assert.equal(formatCompact(1_234_567), '1.23\u202fM');
  assert.equal(formatCompact(1_400_000), '1.40\u202fM');
  assert.equal(formatCompact(999_999), '1.00\u202fM');
  assert.equal(formatCompact(999), '999');
  assert.equal(formatTick(1_500_000), '1.5\u202fM');
  assert.equal(formatTick(1_000_000), '1\u202fM');
  assert.equal(formatTick(100_000), '100\u202fk');
  assert.equal(formatMicros(100), '100\u202fµs');
  assert.equal(formatMicros(10.02), '10\u202fµs');
  assert.equal(formatCompact(0), '0');
  assert.equal(formatNumber(1_234_567), '1,234,567');
  assert.equal(formatNumber(1.5), '1.5');
  assert.equal(formatMicros(0.42), '420\u202fns');
  assert.equal(formatMicros(1234), '1.23\u202fms');
  assert.equal(formatRatio(1.5), '1.50×');
});
