/**
 * What the text format of the compiled module must and must not contain.
 *
 * One module runs in every worker on one shared memory. Anything that AssemblyScript sets up per instance (static data, a heap, a
 * function table, growing memory) would be set up again by each worker over the state of the others, so it must not be there at all.
 * The source cannot tell: an innocent string or array literal is enough. The emitted text can.
 */

/** Everything the host may hand in. A function added here is a hole in "pure function of block and state": say why beside it. */
const ALLOWED_IMPORTS: ReadonlySet<string> = new Set(['env.memory', 'heddle.nowMicros']);

const FORBIDDEN: readonly { readonly pattern: RegExp; readonly why: string }[] = [
  { pattern: /^\s*\(data\b/, why: 'static data: every new instance would write it into the shared memory again' },
  { pattern: /\$~lib\/rt\b/, why: 'the allocator: it is per instance and hands out the same address twice' },
  { pattern: /\bmemory\.grow\b/, why: 'memory.grow: the host sizes the memory once' },
  { pattern: /\bcall_indirect\b/, why: 'call_indirect: closures and function values are not used in the kernel' },
  { pattern: /^\s*\(elem\b/, why: 'a function table with entries: closures and function values are not used in the kernel' },
  { pattern: /^\s*\(start\b/, why: 'a start function: it would run again in every new instance' },
];

/**
 * Number of `br_table` instructions that a source file asks for with a line `// wat: br_table N`, 0 without one.
 * For files whose speed depends on a switch being a jump table and not a chain of compares.
 */
export function jumpTablesWanted(source: string): number {
  let wanted = 0;
  for (const match of source.matchAll(/^\s*\/\/ wat: br_table (\d+)\s*$/gm)) wanted += Number(match[1]);
  return wanted;
}

/** The violations found in a module's text, each with its line; empty when all is well. */
export function watViolations(wat: string, jumpTablesMin = 0): string[] {
  const violations: string[] = [];
  let jumpTables = 0;
  wat.split('\n').forEach((line, index) => {
    if (/\bbr_table\b/.test(line)) jumpTables++;
    for (const { pattern, why } of FORBIDDEN) {
      if (pattern.test(line)) violations.push(`line ${index + 1}: ${why}: ${line.trim().slice(0, 100)}`);
    }
    const [, module, name] = /^\s*\(import "([^"]*)" "([^"]*)"/.exec(line) ?? [];
    if (module !== undefined && !ALLOWED_IMPORTS.has(`${module}.${name}`)) {
      violations.push(`line ${index + 1}: import ${module}.${name} is not in the list of allowed imports`);
    }
  });
  if (jumpTables < jumpTablesMin) {
    violations.push(`${jumpTables} br_table instructions, but sources ask for ${jumpTablesMin}: a switch has become a chain of compares`);
  }
  return violations;
}
