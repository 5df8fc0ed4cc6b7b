import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { createMachine, runMachine } from '@bootlab/emulator';
import { MIPS_LEGACY } from '@bootlab/emulator/fp';
import { cacheFolder, runQemuMalta } from '@bootlab/emulator/testkit';
import { ENGINES } from '../../support/engines.js';
import { describeWith } from '../../support/requirements.js';
import { evaluateVectors } from './evaluate.js';
import { OPERATIONS } from './operations.js';
import { buildMaltaProgram, qemuResults, runsOn, type OracleCpu } from './oracle.js';
import { RESULT_WORDS, VECTOR_WORDS, encodeResults, encodeVectors, makeTrapVectors, makeVectors } from './vectors.js';

// The whole FPU from the outside: mips-fpu-program.c on the bare board runs every instruction and compares results and
// FCSR with QEMU's itself. It prints differences and a last line, and resets the board.

const LAST_LINE = /fpu: (\d+) vectors, (\d+) differ/;

describeWith(['qemu-user', 'qemu-system', 'cross-mips'], 'FPU instructions on the Malta board', () => {
  describe.each([{ registers: 64 }, { registers: 32 }] as const)('$registers-bit registers', ({ registers }) => {
    let quiet: Int32Array;
    let traps: Int32Array;
    let vectors: Int32Array;
    let trapResults: Int32Array;
    beforeAll(() => {
      quiet = makeVectors('quick', runsOn({ registers }));
      traps = sameInBothReadings(makeTrapVectors(runsOn({ registers })));
      vectors = concatenate(quiet, traps);
      // QEMU's user-mode emulation cannot return from exceptions; its board, below, confirms our own results for them.
      trapResults = evaluateVectors(traps, { policy: MIPS_LEGACY });
    }, 60_000);

    describe.each([{ byteOrder: 'little' }, { byteOrder: 'big' }] as const)('$byteOrder-endian', ({ byteOrder }) => {
      const cpu: OracleCpu = { name: '24Kf', cpu: '24Kf', byteOrder, registers, flags: ['-march=mips32r2'] };
      let kernel: string;
      beforeAll(async () => {
        const file = writeVectorsFile(vectors, concatenate(await qemuResults(cpu, quiet), trapResults), cpu);
        kernel = await buildMaltaProgram(cpu, file);
        rmSync(file); // its contents are in the program
      }, 120_000);

      it("QEMU's board gives what its user-mode emulation gives, and the exceptions we expect", async () => {
        const { output } = await runQemuMalta({ byteOrder: cpu.byteOrder, kernel, timeoutMs: 60_000 });
        expectAgreement(output, vectors);
      }, 120_000);

      it.each(ENGINES)(
        'Bootlab gives the same: $engineName',
        async ({ engine }) => {
          const machine = await createMachine({ board: 'malta', cpu: cpu.cpu, kernel: readFileSync(kernel) }, engine);
          let output = '';
          machine.onConsole(({ data }) => (output += Buffer.from(data).toString('latin1')));
          const end = await runMachine(machine, { clock: 'virtual', wallGuardMs: 240_000 });
          expectAgreement(output, vectors);
          expect(end).toEqual({ kind: 'reset' });
        },
        300_000,
      );
    });
  });
});

function concatenate(first: Int32Array, second: Int32Array): Int32Array {
  const all = new Int32Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

/** Without the vectors for which QEMU and the manual differ: exact tiny results with the underflow exception enabled. */
function sameInBothReadings(vectors: Int32Array): Int32Array {
  const qemu = evaluateVectors(vectors, { policy: MIPS_LEGACY });
  const manual = evaluateVectors(vectors, { policy: MIPS_LEGACY, trapExactUnderflow: true });
  const fcsrOf = (results: Int32Array, vector: number) => results[vector * RESULT_WORDS + 2];
  return vectors.filter((_, i) => {
    const vector = Math.floor(i / VECTOR_WORDS);
    return fcsrOf(qemu, vector) === fcsrOf(manual, vector);
  });
}

function expectAgreement(output: string, vectors: Int32Array): void {
  const [, ran, different] = LAST_LINE.exec(output) ?? [];
  if (different !== '0') {
    const lines = output
      .trim()
      .split(/\r?\n/)
      .map((line) => named(line, vectors));
    throw new Error(`the program printed:\n${lines.join('\n')}`);
  }
  expect(Number(ran)).toBe(vectors.length / VECTOR_WORDS);
}

/** Puts the instruction and its operands beside the number of the vector that the program reports. */
function named(line: string, vectors: Int32Array): string {
  const number = /^vector (\d+):/.exec(line)?.[1];
  if (number === undefined) return line;
  const [operation = -1, fcsr = 0, ...operands] = vectors
    .subarray(Number(number) * VECTOR_WORDS)
    .slice(0, VECTOR_WORDS);
  const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0');
  return `${line} (${OPERATIONS[operation]?.name} fcsr ${hex(fcsr)} of words ${operands.map(hex).join(' ')})`;
}

/** The file that mips-fpu-program.c links in. @returns its path in the cache */
function writeVectorsFile(vectors: Int32Array, expected: Int32Array, { byteOrder }: OracleCpu): string {
  const little = byteOrder === 'little';
  const header = Buffer.alloc(8);
  const count = vectors.length / VECTOR_WORDS;
  if (little) header.writeUInt32LE(count);
  else header.writeUInt32BE(count);
  const bytes = Buffer.concat([header, encodeVectors(vectors, little), encodeResults(vectors, expected, little)]);
  const path = cacheFolder('fpu', `malta-${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}.vectors`);
  mkdirSync(cacheFolder('fpu'), { recursive: true });
  writeFileSync(path, bytes);
  return path;
}
