import { describe, expect, it } from '@jest/globals';
import { mipsDisassembler } from './disassemble.js';
import { mipsModel } from './models.js';

const dis = mipsDisassembler(mipsModel('34Kf'));

// Compared with binutils for every instruction: test/conformance/mips-disassembler.test.ts.
describe('the MIPS disassembler writes', () => {
  it.each([
    [0x00000000, 'sll zero, zero, 0'],
    [0x27bdffe0, 'addiu sp, sp, -32'],
    [0x3c1c8001, 'lui gp, 0x8001'],
    [0xafbf001c, 'sw ra, 28(sp)'],
    [0x0c004010, 'jal 0x80010040'],
    [0x1040fffe, 'beq v0, zero, 0x80000ffc'],
    [0x03e00008, 'jr ra'],
    [0x7c437a04, 'ins v1, v0, 8, 8'],
    [0x7c433b00, 'ext v1, v0, 12, 8'],
    [0x40826000, 'mtc0 v0, $12, 0'],
    [0x7c03e83b, 'rdhwr v1, $29'],
    [0x46041000, 'add.s $f0, $f2, $f4'],
    [0x46222032, 'c.eq.d $fcc0, $f4, $f2'],
    [0x4501000a, 'bc1t $fcc0, 0x8000102c'],
    [0x4506000a, 'bc1fl $fcc1, 0x8000102c'],
    [0x00851001, 'movt v0, a0, $fcc1'],
    [0x46251091, 'movt.d $f2, $f2, $fcc1'],
    [0x4c850080, 'lwxc1 $f2, a1(a0)'],
    [0xbc850000, 'cache 0x5, 0(a0)'],
    [0x0000000c, 'syscall 0x0'],
    [0xfc000000, '.word 0xfc000000'],
  ])('%p as %s', (word, text) => {
    expect(dis.disassemble(word, 0x80001000)).toBe(text);
  });

  it('only what the model has', () => {
    expect(mipsDisassembler(mipsModel('4Kc')).disassemble(0x7c03e83b, 0)).toBe('.word 0x7c03e83b');
  });
});
