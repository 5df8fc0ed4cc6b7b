import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheFolder } from '@bootlab/emulator/testkit';

/** One of GCC's execution tests: a C program that exits with 0 where compiler and machine are right. */
export interface TortureTest {
  /** Path below the suite's folder without its ending, e.g. `ieee/inf-1`. */
  readonly name: string;
  /** C files that make the program. */
  readonly sources: readonly string[];
  /** Compiler flags beside the optimisation that the suite asks for. */
  readonly flags: readonly string[];
}

/** gcc.c-torture/execute, as `npm run setup` unpacks it from Debian's gcc-12-source. */
const suiteFolder = (): string => cacheFolder('guests', 'gcc-torture', 'execute');

/** What builtins.exp and ieee.exp add for their folders. */
const BUILTINS_FLAGS = [
  ...['-fno-tree-dse', '-fno-tree-loop-distribute-patterns', '-fno-tracer', '-fno-ipa-ra', '-fno-inline-functions'],
];
const IEEE_FLAGS = ['-fno-inline'];

/** All tests of the suite, sorted by name. */
export function tortureTests(): readonly TortureTest[] {
  return [
    ...testsIn('.', (source) => [source]),
    ...testsIn(
      'builtins',
      (source) => [source, `${source.slice(0, -2)}-lib.c`, join('builtins', 'lib', 'main.c')],
      BUILTINS_FLAGS,
    ),
    ...testsIn('ieee', (source) => [source], IEEE_FLAGS),
  ];
}

function testsIn(
  folder: string,
  sourcesOf: (source: string) => readonly string[],
  flags: readonly string[] = [],
): readonly TortureTest[] {
  return readdirSync(join(suiteFolder(), folder))
    .filter((name) => name.endsWith('.c') && !name.endsWith('-lib.c'))
    .toSorted()
    .map((name) => {
      const source = join(folder, name);
      return {
        name: source.slice(0, -2),
        sources: sourcesOf(source).map((file) => join(suiteFolder(), file)),
        flags: [...flags, ...flagsWithin(readFileSync(join(suiteFolder(), source), 'utf8'))],
      };
    });
}

/** `{ dg-options "…" }` for every target (GCC Internals, "Directives used within DejaGnu tests"); those for one are not for MIPS. */
const OPTIONS = /\{\s*dg-(?:additional-)?options\s+(?:"([^"]*)"|\{\s*"([^"]*)"\s*\})\s*\}/g;

const flagsWithin = (source: string): readonly string[] =>
  [...source.matchAll(OPTIONS)].flatMap(([, plain, braced]) => (plain ?? braced ?? '').split(' ').filter(Boolean));

/** A test's sources with everything of the suite that they include, each file once. */
export function filesOf(test: TortureTest): readonly string[] {
  const files = new Set(test.sources);
  for (const file of files) {
    for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(/^#\s*include\s+"([^"]+)"/gm))
      files.add(join(dirname(file), name));
  }
  return [...files];
}
