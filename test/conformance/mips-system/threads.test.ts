import { expect, it } from '@jest/globals';
import { JIT_ONLY } from '../../support/engines.js';
import { describeWith } from '../../support/requirements.js';
import { boot, buildProgram, runToEnd } from './programs.js';

// Not compared: QEMU 7.2 keeps MVPControl.EVP and VPEControl.TE as they are on a board with one CPU.

describeWith('cross-mips', 'the multi-threading extension of the 34Kf', () => {
  it.each(['little', 'big'] as const)(
    'has one processing element with its controls, %s-endian',
    async (byteOrder) => {
      const machine = await boot(await buildProgram('threads', byteOrder), { cpu: '34Kf' }, JIT_ONLY);
      const { end, output } = await runToEnd(machine, { wallGuardMs: 60_000 });
      expect(output.split('\n')).toEqual([
        'threads: EVP off 0 evpe was 0 EVP on 1 dvpe was 1 TE off 0 emt was 0 TE on 8000 TE written 0 master and active 3 MT 1',
        'end of program',
        '',
      ]);
      expect(end).toEqual({ kind: 'reset' });
    },
    120_000,
  );
});
