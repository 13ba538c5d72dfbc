/** The repository keeps its own rules (tests/tidy-rules.ts has them, with the tables of parts, doors and packages). */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { test } from 'node:test';
import * as rules from './tidy-rules.ts';

const root = resolve(import.meta.dirname, '..');

/** Written by tools, in their own style. */
const GENERATED = new Set(['package-lock.json']);
const TEXT = /(?:\.(?:ts|js|json|md|html|css|yml|yaml|sh|txt)|^\.[a-z]+|\/run|LICENSE)$/;

/** The text files of the working tree, without what git ignores (the entries of .gitignore are plain names). */
function workingTree(): rules.SourceFile[] {
  const ignored = new Set([
    '.git',
    ...readFileSync(join(root, '.gitignore'), 'utf8')
      .split('\n')
      .map((line) => line.replace(/\/$/, '')),
  ]);
  const files: rules.SourceFile[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (ignored.has(entry.name)) continue;
      const absolute = join(folder, entry.name);
      const path = relative(root, absolute).split(sep).join('/');
      if (entry.isDirectory()) walk(absolute);
      else if (entry.isFile() && TEXT.test(path)) files.push({ path, text: readFileSync(absolute, 'utf8') });
    }
  };
  walk(root);
  return files;
}

const everything = workingTree();
const written = everything.filter(({ path }) => !GENERATED.has(path));

function holds(name: string, rule: (files: readonly rules.SourceFile[]) => string[], files = written): void {
  test(name, () => {
    const violations = rule(files);
    assert.equal(violations.length, 0, `\n  ${violations.join('\n  ')}`);
  });
}

test('the working tree is found', () => assert.ok(written.some(({ path }) => path === 'tests/tidy.test.ts')));
holds('parts import downward', rules.layers);
holds('parts are entered through their doors', rules.oneDoor);
holds('TypeScript and AssemblyScript meet in layouts', rules.twoCompilers);
holds('no barrels', rules.noBarrels);
holds('each part is in the table and has its README', rules.parts);
holds('each part uses the packages allowed to it', rules.packages);
holds('dependencies are pinned and have a reason', rules.dependencies);
holds('rules have no clock, randomness or I/O', rules.pureRules);
holds('what browsers load needs no Node.js', rules.inBrowsers);
holds('mutable globals of AssemblyScript are marked as registers', rules.registers);
holds('files are named after what is in them', rules.fileNames);
holds('nothing is left over', rules.noLeftovers);
holds('no paths of one machine', rules.noMachinePaths);
holds('no hosts of package registries', rules.noRegistryHosts, everything);
holds('white space', rules.whitespace);
holds('no test is switched off', rules.testsAreOn);
holds('links lead somewhere', rules.links);
