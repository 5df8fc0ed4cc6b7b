import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { mipsDisassembler, mipsInstructions, mipsModel } from '@bootlab/emulator/targets';
import { RandomInstructions, requireProgram, runProcess, SeededRandom } from '@bootlab/emulator/testkit';
import { describeWith } from '../support/requirements.js';

const BASE = 0x80010000;
const WORDS_PER_INSTRUCTION = 12;
const model = mipsModel('34Kf');
// There is no coprocessor 2, so its instructions have no operands here.
const instructions = mipsInstructions(model, 'little').instructions.filter(
  ({ name }) => !/^(cop|[ls][wd]c)2$/.test(name),
);

describeWith('cross-mips', 'the MIPS disassembler', () => {
  it('writes every instruction as binutils do', async () => {
    const words = sample();
    const expected = await objdump(words);
    const disassembler = mipsDisassembler(model);
    const actual = words.map((word, i) => normalise(disassembler.disassemble(word, BASE + 4 * i)));
    expect(actual).toEqual(expected.map(normalise));
  }, 60_000);
});

/** Some words of every instruction; bits that the pattern leaves open are zero, as the manual has them. */
function sample(): number[] {
  const random = new SeededRandom(21);
  const words = new RandomInstructions(instructions, random, {
    chooseField: (_, { name, bits }, instruction) => {
      // Bit fields that end within the word.
      if (instruction.name === 'ins')
        return name === 'msb' ? 16 + random.below(16) : name === 'lsb' ? random.below(16) : undefined;
      if (instruction.name === 'ext' && /^(msbd|lsb)$/.test(name)) return random.below(16);
      // The manual wants rt = rd here, and binutils show both where they differ.
      if (/^cl[oz]$/.test(instruction.name) && /^r[td]$/.test(name)) return 9;
      if (name === 'code') return 0; // binutils cut it in two halves
      return bits === 5 && /^f.$/.test(name) ? random.below(32) : undefined;
    },
  });
  return instructions.flatMap((instruction) =>
    Array.from({ length: WORDS_PER_INSTRUCTION }, () => words.of(instruction)),
  );
}

async function objdump(words: readonly number[]): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'bootlab-objdump-'));
  try {
    const file = join(folder, 'words.bin');
    writeFileSync(file, Buffer.from(Uint32Array.from(words).buffer));
    const run = await runProcess(
      requireProgram('mipsel-linux-gnu-objdump', 'binutils-mipsel-linux-gnu'),
      [
        ...['-D', '-z', '-b', 'binary', '-m', 'mips:isa32r2', '-EL', `--adjust-vma=${BASE}`],
        ...['-M', 'no-aliases,gpr-names=32,cp0-names=numeric,cp1-names=numeric,hwr-names=numeric', file],
      ],
      { timeoutMs: 30_000 },
    );
    return [...run.output.matchAll(/^[0-9a-f]+:\t[0-9a-f]{8} \t(.*)$/gm)].map(([, text]) => text ?? '');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Mnemonics of binutils that the manual does not have. */
const SYNONYMS: Readonly<Record<string, string>> = { ror: 'rotr', rorv: 'rotrv' };

/** One spelling for what is the same: blanks, number bases, and operands that have their default value. */
function normalise(text: string): string {
  const [written = '', ...rest] = text.trim().split(/\s+/);
  const mnemonic = SYNONYMS[written] ?? written;
  const operands = rest
    .join('')
    .replace(/-?0x[0-9a-f]+/g, (number) => String(Number(number)))
    .replace(/^\$fcc0,/, '');
  if (/^negu?$/.test(mnemonic)) return `${mnemonic.replace('neg', 'sub')} ${operands.replace(',', ',zero,')}`;
  if (/^divu?$/.test(mnemonic)) return `${mnemonic} ${operands.replace(/^zero,(?=.*,)/, '')}`;
  if (/^(sync|syscall|break)$/.test(mnemonic)) return `${mnemonic} ${operands.replace(/^0$/, '')}`.trim();
  if (/^(di|ei|dmt|emt|dvpe|evpe)$/.test(mnemonic)) return `${mnemonic} ${operands.replace(/^zero$/, '')}`.trim();
  if (/^m(f|t|ft|tt)c0$/.test(mnemonic)) return `${mnemonic} ${operands.replace(/,0$/, '')}`;
  return `${mnemonic} ${operands}`.trim();
}
