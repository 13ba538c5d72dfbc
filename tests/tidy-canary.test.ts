/** Every gate has its canary: a planted violation must be found, and its harmless neighbour must not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compile } from '../scripts/build-wasm.ts';
import { jumpTablesWanted, watViolations } from '../scripts/wat-rules.ts';
import * as rules from './tidy-rules.ts';

interface Canary {
  readonly rule: (files: readonly rules.SourceFile[]) => string[];
  /** Each is a violation by itself: [path, text]. */
  readonly violations: readonly (readonly [string, string])[];
  readonly harmless: readonly (readonly [string, string])[];
}

const CANARIES: readonly Canary[] = [
  {
    rule: rules.layers,
    violations: [
      ['src/ledger/a.ts', "import { b } from '../exchange/b.ts';\n"],
      ['src/ledger/a.ts', "import {\n  type B,\n  b,\n} from '../exchange/b.ts';\n"],
      ['src/ledger/a.ts', "export { b } from '../exchange/b.ts';\n"],
      ['src/ledger/a.ts', "import '../exchange/b.ts';\n"],
      ['src/ledger/a.ts', "const b = await import('../exchange/b.ts');\n"],
      ['src/ledger/a.ts', "new Worker(new URL('../execution/b.ts', import.meta.url));\n"],
      ['src/kernel/assembly/a.ts', "import { b } from '../../ledger/assembly/b';\n"],
      ['src/kernel/assembly/a.ts', "import { B } from '../../synthetic/layout';\n"],
      ['src/market/a.ts', "import { b } from '../report/index.ts';\n"],
      ['src/market/a.ts', "import { b } from '../kernel/index.ts';\n"],
      ['src/cli/a.ts', "import { b } from '../benchmarks/index.ts';\n"],
      ['src/cli/a.ts', "import { b } from '../../scripts/build-wasm.ts';\n"],
    ],
    harmless: [
      ['src/exchange/a.ts', "import { b } from '../ledger/b.ts';\nimport { c } from './c.ts';\n"],
      ['src/exchange/a.test.ts', "import { b } from '../execution/index.ts';\n"],
      ['src/execution/assembly/index.ts', "import { b } from '../../synthetic/assembly/b';\n"],
      ['src/ledger/a.ts', "// import { b } from '../exchange/b.ts';\n"],
    ],
  },
  {
    rule: rules.oneDoor,
    violations: [['src/cli/a.ts', "import { b } from '../execution/workers.ts';\n"]],
    harmless: [
      ['src/cli/a.ts', "import { b } from '../execution/index.ts';\nimport { C } from '../execution/layout.ts';\n"],
      ['src/cli/a.ts', "import type { Transaction } from '../ledger/transactions.ts';\n"],
      ['src/cli/a.test.ts', "import { b } from '../execution/workers.ts';\n"],
      ['src/execution/a.ts', "import { b } from './workers.ts';\n"],
    ],
  },
  {
    rule: rules.twoCompilers,
    violations: [
      ['src/kernel/a.ts', "import { b } from './assembly/b.ts';\n"],
      ['src/kernel/assembly/a.ts', "import { b } from '../host';\n"],
    ],
    harmless: [['src/ledger/assembly/a.ts', "import { b } from '../../kernel/assembly/b';\nimport { C } from '../../base/codes';\n"]],
  },
  {
    rule: rules.noBarrels,
    violations: [['src/ledger/index.ts', "export * from './a.ts';\n"]],
    harmless: [['src/ledger/index.ts', "export { a } from './a.ts';\n"]],
  },
  {
    rule: rules.parts,
    violations: [
      ['src/weaver/README.md', '# weaver\n'],
      ['src/synthetic/a.ts', 'export const a = 1;\n'],
    ],
    harmless: [['src/synthetic/README.md', '# synthetic\n']],
  },
  {
    rule: rules.packages,
    violations: [
      ['src/kernel/a.ts', "import { x } from 'left-pad';\n"],
      ['src/cli/a.ts', "import { init } from 'echarts/core';\n"],
      ['src/ledger/a.ts', "import { readFileSync } from 'node:fs';\n"],
      ['src/commitment/a.ts', "import { blake3 } from '@noble/hashes/blake3.js';\n"],
      ['src/ledger/a.test.ts', "import { blake3 } from '@noble/hashes/blake3.js';\n"],
      ['src/sdk/a.ts', "import { Worker } from 'node:worker_threads';\n"],
    ],
    harmless: [
      ['src/report/a.ts', "import { init } from 'echarts/core';\n"],
      ['src/kernel/a.ts', "import { Worker } from 'node:worker_threads';\n"],
      ['src/ledger/a.test.ts', "import { test } from 'node:test';\nimport fc from 'fast-check';\n"],
      ['src/commitment/a.test.ts', "import { blake3 } from '@noble/hashes/blake3.js';\n"],
    ],
  },
  {
    rule: rules.dependencies,
    violations: [
      ['package.json', '{ "dependencies": { "long": "5.3.2" } }\n'],
      ['package.json', '{ "devDependencies": { "long": "^5.3.2" } }\n'],
    ],
    harmless: [['package.json', '{ "name": "heddle" }\n']],
  },
  {
    rule: rules.pureRules,
    violations: [
      ['src/exchange/a.ts', 'const now = Date.now();\n'],
      ['src/ledger/a.ts', 'export async function a() {}\n'],
      ['src/kernel/assembly/a.ts', 'const r = Math.random();\n'],
    ],
    harmless: [
      ['src/exchange/a.ts', '/* performance does not come from Math.random */\nexport const a = 1; // Date\n'],
      ['src/exchange/a.test.ts', 'const now = performance.now();\n'],
      ['src/kernel/host.ts', 'const now = performance.now();\n'],
    ],
  },
  {
    rule: rules.inBrowsers,
    violations: [
      ['src/sdk/a.ts', "const a = Buffer.from('00', 'hex');\n"],
      ['src/sdk/a.ts', 'if (process.env.A) setImmediate(a);\n'],
      ['src/commitment/a.ts', 'let timer: NodeJS.Timeout;\n'],
    ],
    harmless: [
      ['src/sdk/a.ts', "throw new Error('the process ended'); // Buffer.from\n"],
      ['src/sdk/a.test.ts', "const a = Buffer.from('00', 'hex');\n"],
      ['src/storage/a.ts', "const a = Buffer.from('00', 'hex');\n"],
    ],
  },
  {
    rule: rules.registers,
    violations: [
      ['src/kernel/assembly/a.ts', 'let count: u32 = 0;\n'],
      ['src/kernel/assembly/a.ts', 'export let count: u32 = 0;\n'],
      ['src/kernel/assembly/a.ts', '@lazy let count: u32 = 0;\n'],
      ['src/kernel/assembly/a.ts', 'class A {\n  static count: u32 = 0;\n}\n'],
    ],
    harmless: [
      ['src/kernel/assembly/a.ts', 'let count: u32 = 0; // register\nfunction f(): void {\n  let i = 0;\n}\n'],
      [
        'src/kernel/assembly/a.ts',
        'class A {\n  static readonly SIZE: u32 = 8;\n  static at(p: usize): A {\n    return changetype<A>(p);\n  }\n}\n',
      ],
    ],
  },
  {
    rule: rules.fileNames,
    violations: [
      ['src/base/utils.ts', '\n'],
      ['src/base/helpers/fixed.ts', '\n'],
      ['src/base/fixedPoint.ts', '\n'],
      ['docs/Rules.md', '\n'],
    ],
    harmless: [
      ['src/base/fixed-point.test.ts', '\n'],
      ['.ci/run', '\n'],
      ['README.md', '\n'],
    ],
  },
  {
    rule: rules.noLeftovers,
    violations: [['src/base/a.ts', `// ${'TO'}DO: later\n`]],
    harmless: [['src/base/a.ts', '// nothing to do\n']],
  },
  {
    rule: rules.noMachinePaths,
    violations: [
      ['src/base/a.ts', `open('${'/'}tmp/a');\n`],
      ['docs/a.md', `see ${'/'}root/notes\n`],
    ],
    harmless: [['src/base/a.ts', "open('../tmp/a', join(tmpdir(), 'work/a'));\n"]],
  },
  {
    rule: rules.noRegistryHosts,
    violations: [
      ['package-lock.json', `{ "${'resolved'}": "https://example.org/a.tgz" }\n`],
      ['.npmrc', `registry=https://${'registry'}.example.org/\n`],
    ],
    harmless: [['docs/a.md', 'The npm registry.\n']],
  },
  {
    rule: rules.whitespace,
    violations: [
      ['a.md', 'a \n'],
      ['a.md', '\ta\n'],
      ['a.md', 'a'],
      ['a.md', 'a\n\n'],
      ['a.md', 'a\r\n'],
    ],
    harmless: [['a.md', 'a\n\nb\n']],
  },
  {
    rule: rules.testsAreOn,
    violations: [
      ['src/base/a.test.ts', `${'test'}.skip('a', () => {});\n`],
      ['src/base/a.test.ts', `${'describe'}.only('a', () => {});\n`],
      ['src/base/a.test.ts', `test('a', { ${'skip'}: true }, () => {});\n`],
    ],
    harmless: [['src/base/a.test.ts', "test('a', { skip: !existsSync(folder) }, () => {});\n"]],
  },
  {
    rule: rules.links,
    violations: [
      ['README.md', '[a](docs/missing.md)\n'],
      ['docs/a.md', '[a](../missing/#part)\n'],
    ],
    harmless: [['docs/a.md', '[a](a.md#part) [b](https://example.org) [docs](../docs/)\n']],
  },
];

for (const { rule, violations, harmless } of CANARIES) {
  test(`canary: ${rule.name}`, () => {
    for (const [path, text] of violations) assert.notDeepEqual(rule([{ path, text }]), [], `not found in ${path}: ${text}`);
    for (const [path, text] of harmless) assert.deepEqual(rule([{ path, text }]), []);
  });
}

test('every rule has its canary', () => {
  const covered = new Set<unknown>(CANARIES.map(({ rule }) => rule));
  const parsers = new Set<unknown>([rules.importsOf, rules.withoutComments]);
  const missing = Object.entries(rules).filter(([, rule]) => !covered.has(rule) && !parsers.has(rule));
  assert.deepEqual(missing, []);
});

test('comments are blanked, strings and regular expressions are kept', () => {
  const text = "const a = '// no'; // yes\nconst b = /['\"`]/; /* yes\n */ const c = `/* no */`; const d = 4 / 2; // yes '\n";
  const code = rules.withoutComments(text);
  assert.equal(code.length, text.length);
  assert.match(code, /no.*\n.*const b = .{8} +\n +const c = `\/\* no/);
  assert.doesNotMatch(code, /yes/);
});

/** The violations of a small module with one exported function or more. */
async function compiled(source: string): Promise<string[]> {
  const { wat } = await compile('canary.ts', (path) => (path === 'canary.ts' ? source : null));
  return watViolations(wat, jumpTablesWanted(source));
}

const DENSE = Array.from({ length: 8 }, (_, i) => `case ${i}: return load<u32>(${i * i + 64});`).join('\n');
const SPARSE = Array.from({ length: 8 }, (_, i) => `case ${1 << (3 * i)}: return load<u32>(${i * i + 64});`).join('\n');
const chosen = (cases: string): string =>
  `// wat: br_table 1\nexport function pick(a: u32): u32 {\n  switch (a) {\n${cases}\ndefault: return 1; }\n}\n`;

test('canary: the compiled module', async () => {
  const clean = "let last: u32 = 0;\nexport function f(p: usize): u32 { assert(p > 8, 'low'); last = load<u32>(p); return last; }\n";
  assert.deepEqual(await compiled(clean), []);
  const planted: Record<string, string> = {
    'a string': "export function f(): string { return 'a'; }",
    'an array literal': 'export function f(i: i32): i32 { const a: i32[] = [1, 2, 3]; return a[i]; }',
    'static data': 'const a: StaticArray<i32> = [1, 2, 3]; export function f(i: i32): i32 { return a[i]; }',
    'an allocation': 'class A { x: i32 = 0; } export function f(): A { return new A(); }',
    'growing memory': 'export function f(): i32 { return memory.grow(1); }',
    'a function value': 'export function f(g: () => void): void { g(); }',
    'a function in a table': 'function g(): void {} export function f(): usize { return changetype<usize>(g); }',
    'an import of the host': '@external("env", "now") declare function now(): f64; export function f(): f64 { return now(); }',
    'a start function': 'export let a: u32 = load<u32>(64);',
  };
  for (const [name, source] of Object.entries(planted)) assert.notDeepEqual(await compiled(source), [], `not found: ${name}`);
});

test('canary: a switch that must be a jump table', async () => {
  assert.deepEqual(await compiled(chosen(DENSE)), []);
  assert.notDeepEqual(await compiled(chosen(SPARSE)), []);
});
