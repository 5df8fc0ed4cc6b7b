import { mipsElf, type MipsExecutable, wordsToBytes } from '@bootlab/emulator/testkit';

/** Where {@link kernelElf} is loaded: 1 MiB into kseg0. */
export const LOAD_ADDRESS = 0x80100000;

export type ElfShape = Pick<MipsExecutable, 'byteOrder' | 'machine' | 'memoryBytes'>;

/** An executable of these instructions that boards start as a kernel. */
export const kernelElf = (words: readonly number[], shape: ElfShape): Uint8Array =>
  mipsElf({ ...shape, address: LOAD_ADDRESS, image: wordsToBytes(words, shape.byteOrder) });
