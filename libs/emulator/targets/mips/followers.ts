/**
 * Which instruction comes next in memory after which, the most frequent first: half of it samples of Debian's boot on Malta
 * (unpacking the kernel, its self-tests, start of user space), half of the user programs that its self-test runs. Instructions
 * with at least 0.3 % of them.
 */
const FOLLOWERS: Readonly<Record<string, string>> = {
  lw: 'lw addiu addu sll',
  addiu: 'lw addiu addu sw',
  addu: 'lw sw jr addu',
  sw: 'sw lw sltu or',
  beq: 'sll addiu or lw',
  bne: 'addu addiu sw sll',
  sll: 'lw addu beq sll',
  or: 'lw sw or beq',
  sltu: 'bne beq addu sll',
  subu: 'sltu sw sra addu',
  lbu: 'bne beq andi sb',
  andi: 'beq bne addiu sltiu',
  srl: 'mul subu xor sll',
  xor: 'nor sll bne addu',
  lhu: 'srl subu mul andi',
  mflo: 'mfhi or jr sw',
  mfhi: 'addu mul mflo addiu',
  multu: 'mflo addiu addu sw',
  and: 'addu mul xor lw',
  mul: 'subu sltu sll addu',
  sltiu: 'beq andi bne srl',
  sh: 'lw addiu or ldc1',
  lui: 'lw addiu addu srl',
  sb: 'or lw addiu subu',
  sra: 'addu addiu sltiu lhu',
  rotr: 'addu rotr xor srl',
};

export const MIPS_FOLLOWERS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries(FOLLOWERS).map(([name, followers]) => [name, followers.split(' ')]),
);
