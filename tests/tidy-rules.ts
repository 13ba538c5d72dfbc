/**
 * Rules about the repository itself, as pure functions from its files to the violations in them.
 *
 * The tables come first: they are what a change of structure edits. `tidy.test.ts` applies the rules to the working tree,
 * `tidy-canary.test.ts` plants a violation of each in memory and sees it found.
 * Not here: what the compiler, Biome and knip find, and what the compiled module may contain (scripts/wat-rules.ts).
 */
import { posix } from 'node:path';

export interface SourceFile {
  /** Relative to the repository root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

interface Part {
  readonly layer: number;
  /** Files that other parts may import, beside `index.ts`, `layout.ts` and `codes.ts`. */
  readonly door?: readonly string[];
  /** The only parts that it may import; without it: every part of a lower layer. */
  readonly imports?: readonly string[];
  /** Parts of its own layer that it may import. Layer 8 only. */
  readonly peers?: readonly string[];
  /** npm packages that it may import; none without it. */
  readonly packages?: readonly string[];
  /** npm packages that its tests may import as well, beside fast-check. */
  readonly testPackages?: readonly string[];
  /** A part of rules: no clock, no randomness, no I/O, nothing asynchronous. */
  readonly rules?: boolean;
  /** Runs in browsers as well: nothing of Node.js but what browsers have, too. */
  readonly inBrowsers?: boolean;
}

/** A part imports parts of lower layers only. Parts of one layer do not know each other. */
const PARTS: Readonly<Record<string, Part>> = {
  base: {
    layer: 0,
    inBrowsers: true,
    door: [
      'assert.ts',
      'byte-cursor.ts',
      'byte-slab.ts',
      'errors.ts',
      'hash-index.ts',
      'hex-digits.ts',
      'key-hash.ts',
      'number-column.ts',
      'packed-changes.ts',
      'random.ts',
      'waits-for-tests.ts',
      'word-columns.ts',
    ],
  },
  kernel: { layer: 1, door: ['thread-nice.ts'] },
  ledger: {
    layer: 2,
    rules: true,
    door: ['block-columns.ts', 'naive.ts', 'name-columns.ts', 'packed-block.ts', 'transaction-codec.ts', 'transactions.ts'],
  },
  exchange: {
    layer: 3,
    rules: true,
    door: ['account-summary.ts', 'genesis.ts', 'invariants.ts', 'messages.ts', 'naive.ts', 'sample-market.ts'],
  },
  synthetic: { layer: 3 },
  commitment: {
    layer: 3,
    rules: true,
    inBrowsers: true,
    imports: ['base', 'kernel'],
    door: ['blake3.ts', 'header.ts', 'item-list.ts', 'naive-tree.ts', 'proof-error.ts', 'proof.ts', 'state-tree.ts', 'verify.ts'],
    testPackages: ['@noble/hashes'],
  },
  execution: { layer: 4, door: ['access-list.ts', 'api.ts', 'cold-records.ts', 'prepared-block.ts'] },
  storage: { layer: 4, imports: ['base', 'kernel', 'ledger'], packages: ['lmdb'] },
  signatures: {
    layer: 4,
    imports: ['base', 'kernel'],
    packages: ['secp256k1', '@noble/curves', '@noble/hashes'],
    door: ['bulk-signing.ts', 'measure.ts', 'signature-pool.ts'],
  },
  sdk: {
    layer: 4,
    imports: ['base', 'commitment'],
    packages: ['@noble/curves', '@noble/hashes'],
    testPackages: ['ws'],
    inBrowsers: true,
    door: [
      'action-hash.ts',
      'decimal.ts',
      'diagnose.ts',
      'signature.ts',
      'signed-request.ts',
      'signer-key.ts',
      'typed-data.ts',
      'wire-actions.ts',
    ],
  },
  node: { layer: 5, door: ['sample-folder.ts'] },
  market: { layer: 5, imports: ['base', 'ledger', 'exchange', 'execution'] },
  scenario: { layer: 5, imports: ['base', 'ledger', 'exchange', 'execution'] },
  report: { layer: 5, packages: ['echarts'] },
  views: { layer: 6, imports: ['base', 'kernel', 'ledger', 'exchange', 'commitment', 'storage', 'node'] },
  devnet: {
    layer: 6,
    imports: ['base', 'ledger', 'exchange', 'sdk', 'node', 'market'],
    door: ['devnet-genesis.ts', 'devnet-keys.ts', 'devnet-markets.ts', 'simulation-loop.ts'],
  },
  api: {
    layer: 7,
    packages: ['ws', 'prom-client'],
    door: ['admission-control.ts', 'node-service.ts', 'process-memory.ts', 'rate-limits.ts', 'small-service.ts', 'stream-connection.ts'],
  },
  cli: { layer: 8, door: ['heddle.ts', 'load-flow.ts'], packages: ['commander', 'cli-progress', 'pino'] },
  conformance: { layer: 8 },
  simulator: { layer: 8, packages: ['fast-check'] },
  benchmarks: { layer: 8, peers: ['cli'], packages: ['commander', 'cli-progress'] },
};

/** Names that say where a thing was dropped and not what it is. */
const DROPPED = new Set(['utils', 'util', 'helpers', 'helper', 'common', 'types', 'misc']);

/** Written in capitals by convention and not in kebab-case. */
const CONVENTIONAL = new Set(['README.md', 'ARCHITECTURE.md', 'LICENSE', 'CONTRIBUTING.md', 'CHANGELOG.md', 'Dockerfile']);

// --- What the rules are made of -------------------------------------------------------------------------------------------------

const isCode = (path: string): boolean => path.endsWith('.ts');
const isTest = (path: string): boolean => path.endsWith('.test.ts') || path.startsWith('tests/');
const isAssembly = (path: string): boolean => /^src\/.*\bassembly\//.test(path);
const partOf = (path: string): string | undefined => /^src\/([^/]+)\//.exec(path)?.[1];
/** Constants that both compilers read, open to every part above. */
const isLayout = (path: string): boolean => /\/(layout|codes)\.ts$/.test(path);

const lineOf = (text: string, index: number): number => text.slice(0, index).split('\n').length;

/** The code without its comments: they are blanked, so that every index still has the line it had. Strings stay. */
export function withoutComments(text: string): string {
  // A slash starts a regular expression where a value can start; its quotes must not be taken for those of a string.
  const token =
    /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|(?<=(?:[=(,:[!&|?{};]|=>|return)\s*)\/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\//g;
  return text.replace(token, (match) => (/^\/[/*]/.test(match) ? match.replace(/[^\n]/g, ' ') : match));
}

interface Import {
  readonly from: string;
  readonly line: number;
  readonly specifier: string;
  /** Path of the imported file; undefined for packages and builtins. */
  readonly target: string | undefined;
}

export function importsOf({ path, text }: SourceFile): Import[] {
  const found: Import[] = [];
  const forms =
    /\b(?:import|export)\b[^'"`;()]*?\bfrom\s*['"](?<from>[^'"]+)['"]|\bimport\s*\(?\s*['"](?<bare>[^'"]+)['"]|new URL\(\s*['"](?<url>\.[^'"]+\.ts)['"]/g;
  for (const match of withoutComments(text).matchAll(forms)) {
    const specifier = match.groups?.from ?? match.groups?.bare ?? match.groups?.url ?? '';
    let target: string | undefined;
    if (specifier.startsWith('.')) {
      target = posix.join(posix.dirname(path), specifier);
      // AssemblyScript leaves the extension out.
      if (isAssembly(path) && !target.endsWith('.ts')) target += '.ts';
    }
    found.push({ from: path, line: lineOf(text, match.index), specifier, target });
  }
  return found;
}

const allImports = (files: readonly SourceFile[]): Import[] => files.filter(({ path }) => isCode(path)).flatMap(importsOf);

/** A violation for every line of the chosen files that matches; comments do not count when `code` is set. */
function lines(files: readonly SourceFile[], pattern: RegExp, message: string, code = false): string[] {
  return files.flatMap(({ path, text }) =>
    (code ? withoutComments(text) : text)
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${message}: ${line.trim().slice(0, 80)}`] : [])),
  );
}

// --- Structure --------------------------------------------------------------------------------------------------------------------

/** Parts import downward. Tests are composition roots of their own and may import what they test against. */
export function layers(files: readonly SourceFile[]): string[] {
  return allImports(files).flatMap(({ from, line, target }) => {
    if (target === undefined || isTest(from)) return [];
    const importer = partOf(from);
    const imported = partOf(target);
    if (importer === undefined || importer === imported) return [];
    const at = `${from}:${line}`;
    if (imported === undefined) return [`${at}: ${target} is outside src/`];
    const lower = PARTS[importer];
    const upper = PARTS[imported];
    if (lower === undefined || upper === undefined) return []; // Found by `parts`.
    if (lower.peers?.includes(imported) && lower.layer === 8 && upper.layer === 8) return [];
    if (upper.layer >= lower.layer) {
      return [`${at}: ${importer} (layer ${lower.layer}) must not import ${imported} (layer ${upper.layer})`];
    }
    if (lower.imports && !lower.imports.includes(imported)) return [`${at}: ${importer} may import ${lower.imports.join(', ')} only`];
    return [];
  });
}

/** Other parts enter a part through its door. */
export function oneDoor(files: readonly SourceFile[]): string[] {
  return allImports(files).flatMap(({ from, line, target }) => {
    if (target === undefined || isTest(from) || isAssembly(from) || isLayout(target)) return [];
    const imported = partOf(target);
    const part = imported === undefined ? undefined : PARTS[imported];
    if (part === undefined || partOf(from) === imported) return [];
    const file = target.slice(`src/${imported}/`.length);
    if (file === 'index.ts' || part.door?.includes(file)) return [];
    return [`${from}:${line}: ${target} is not a door of ${imported} (table in tests/tidy-rules.ts)`];
  });
}

/** The two compilers meet in layouts only. */
export function twoCompilers(files: readonly SourceFile[]): string[] {
  return allImports(files).flatMap(({ from, line, target, specifier }) => {
    const at = `${from}:${line}`;
    if (!isAssembly(from)) return target && isAssembly(target) ? [`${at}: TypeScript cannot import AssemblyScript (${specifier})`] : [];
    if (target !== undefined && (isAssembly(target) || isLayout(target))) return [];
    return [`${at}: AssemblyScript imports assembly/, layout.ts and codes.ts only (${specifier})`];
  });
}

/** One name, one place: a name is imported from the file that defines it. */
export function noBarrels(files: readonly SourceFile[]): string[] {
  const code = files.filter(({ path }) => isCode(path) && !isAssembly(path));
  return lines(code, /^\s*export \*/, 'export * hides where a name comes from', true);
}

/** Every folder of src/ is in the table, has a README.md and its door's files. */
export function parts(files: readonly SourceFile[]): string[] {
  const paths = new Set(files.map(({ path }) => path));
  const present = new Set([...paths].flatMap((path) => partOf(path) ?? []));
  return [...present].flatMap((name) => {
    const part = PARTS[name];
    if (part === undefined) return [`src/${name}: not in the table of parts (tests/tidy-rules.ts)`];
    const missing = ['README.md', ...(part.door ?? [])].filter((file) => !paths.has(`src/${name}/${file}`));
    return missing.map((file) => `src/${name}/${file} is missing`);
  });
}

/** Each part uses the packages that it is allowed, and rules use nothing of the platform. Tests may use fast-check and some more. */
export function packages(files: readonly SourceFile[]): string[] {
  return allImports(files).flatMap(({ from, line, specifier, target }) => {
    const name = partOf(from);
    const part = name === undefined ? undefined : PARTS[name];
    if (target !== undefined || part === undefined) return [];
    const at = `${from}:${line}`;
    if (specifier.startsWith('node:')) {
      const closed = !isTest(from) && (part.rules || part.inBrowsers || part.layer === 0);
      return closed ? [`${at}: ${name} must not use ${specifier}`] : [];
    }
    const pack = specifier
      .split('/')
      .slice(0, specifier.startsWith('@') ? 2 : 1)
      .join('/');
    if (part.packages?.includes(pack)) return [];
    if (isTest(from) && (pack === 'fast-check' || part.testPackages?.includes(pack))) return [];
    return [`${at}: package ${pack} is not allowed in ${name} (table in tests/tidy-rules.ts)`];
  });
}

/** package.json names exact versions, and docs/dependencies.md says what each package is for. */
export function dependencies(files: readonly SourceFile[]): string[] {
  const manifest = files.find(({ path }) => path === 'package.json');
  if (manifest === undefined) return ['package.json is missing'];
  const reasons = files.find(({ path }) => path === 'docs/dependencies.md')?.text ?? '';
  const { dependencies: needed = {}, devDependencies: tools = {} } = JSON.parse(manifest.text);
  return Object.entries<string>({ ...needed, ...tools }).flatMap(([name, version]) => [
    ...(/^\d+\.\d+\.\d+$/.test(version) ? [] : [`package.json: ${name} must be pinned to an exact version, not ${version}`]),
    ...(reasons.includes(`\`${name}\``) ? [] : [`docs/dependencies.md does not say what ${name} is for`]),
  ]);
}

// --- Determinism ------------------------------------------------------------------------------------------------------------------

/** Rules are functions of the block and the state: the same on every node, at every time. */
export function pureRules(files: readonly SourceFile[]): string[] {
  const rules = files.filter(({ path }) => {
    const part = PARTS[partOf(path) ?? ''];
    return isCode(path) && !isTest(path) && (part?.rules || isAssembly(path));
  });
  const impure = /\bDate\b|\bMath\.random\b|\bperformance\b|\bcrypto\b|\bsetTimeout\b|\bsetInterval\b|\bprocess\.|\basync\b|\bawait\b/;
  return lines(rules, impure, 'rules have no clock, no randomness, no I/O and nothing asynchronous', true);
}

/** What browsers load uses nothing that only Node.js has. Modules of Node.js: `packages`. */
export function inBrowsers(files: readonly SourceFile[]): string[] {
  const carried = files.filter(({ path }) => {
    const part = PARTS[partOf(path) ?? ''];
    return isCode(path) && !isTest(path) && (part?.inBrowsers || part?.layer === 0);
  });
  const onlyNode = /\b(?:process|Buffer|global)\.|\b(?:setImmediate|clearImmediate|require)\(|\bNodeJS\b|\b__(?:dirname|filename)\b/;
  return lines(carried, onlyNode, 'browsers do not have this', true);
}

/**
 * AssemblyScript globals exist once per worker. As scratch registers of that worker they are fine, and say so on their line with
 * `// register`; as shared state they would silently be many.
 */
export function registers(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => isAssembly(path))
    .flatMap(({ path, text }) =>
      withoutComments(text)
        .split('\n')
        .flatMap((line, index) => {
          const global =
            /^(?:@\w+\s+)*(?:export\s+)?(?:let|var)\s/.test(line) || /^\s+(?:\w+\s+)*static\s+(?!readonly\b)\w+\s*[:=]/.test(line);
          if (!global || text.split('\n')[index]?.includes('// register')) return [];
          return [`${path}:${index + 1}: a mutable global is per worker; mark it "// register" if that is meant: ${line.trim()}`];
        }),
    );
}

// --- Text -------------------------------------------------------------------------------------------------------------------------

export function fileNames(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path }) => {
    const segments = path.split('/');
    const name = segments.pop() ?? '';
    const stems = [...segments, name.replace(/\..*$/, '')];
    const violations = stems.filter((stem) => DROPPED.has(stem)).map((stem) => `${path}: "${stem}" does not say what is in it`);
    const plain = (segment: string): boolean => /^\.?[a-z0-9]+([.-][a-z0-9]+)*$/.test(segment);
    if (![...segments, name].every((segment) => plain(segment) || CONVENTIONAL.has(segment))) {
      violations.push(`${path}: names are in kebab-case`);
    }
    return violations;
  });
}

/** Work that is left belongs where work is planned, not in the code. */
export function noLeftovers(files: readonly SourceFile[]): string[] {
  return lines(files, /\b(?:TO[D]O|FIX[M]E|XX[X])\b/, 'left over');
}

/** Nothing that holds on one machine only. */
export function noMachinePaths(files: readonly SourceFile[]): string[] {
  return lines(files, /(?:^|[\s'"`(=:])\/(?:work|root|tmp|home)(?:\/|['"`\s)]|$)/, 'path of one machine');
}

/** Where packages come from is a setting of the machine that installs them. */
export function noRegistryHosts(files: readonly SourceFile[]): string[] {
  return lines(files, /\bregistry\.[a-z]+\.[a-z]+|"resolved": "[h]ttp/, 'host of a package registry');
}

export function whitespace(files: readonly SourceFile[]): string[] {
  return [
    ...lines(files, /\t/, 'tab'),
    ...lines(files, /[ \r]$/, 'trailing blank'),
    ...files.filter(({ text }) => text !== '' && !/[^\n]\n$/.test(text)).map(({ path }) => `${path}: ends with exactly one newline`),
  ];
}

/** A test that is switched off reads as one that passes. Conditions go into the option `skip`, where they are visible. */
export function testsAreOn(files: readonly SourceFile[]): string[] {
  const tests = files.filter(({ path }) => path.endsWith('.test.ts'));
  return lines(
    tests,
    /\b(?:test|it|describe|suite)\.(?:only|skip|todo)\b|\b(?:only|skip|todo): true\b/,
    'switched on or off by hand',
    true,
  );
}

/** A link inside the repository leads somewhere. */
export function links(files: readonly SourceFile[]): string[] {
  const paths = new Set(files.map(({ path }) => path));
  const exists = (target: string): boolean => paths.has(target) || [...paths].some((path) => path.startsWith(`${target}/`));
  return files
    .filter(({ path }) => path.endsWith('.md'))
    .flatMap(({ path, text }) =>
      [...text.matchAll(/\]\((?![a-z]+:)([^)#\s]+)(?:#[^)]*)?\)/g)].flatMap((match) => {
        const target = posix.join(posix.dirname(path), match[1] ?? '').replace(/\/$/, '');
        return exists(target) ? [] : [`${path}:${lineOf(text, match.index)}: ${match[1]} is not there`];
      }),
    );
}
