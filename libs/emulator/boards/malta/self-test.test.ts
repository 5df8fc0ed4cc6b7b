import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { createMachine, runMachine, selfTestFirmware } from '../../index.js';
import { runQemuMalta } from '../../testkit/index.js';
import { SELF_TEST_SOURCE_SHA256 } from './self-test.generated.js';

const folder = join(import.meta.dirname, 'self-test');
const ORDERS = [
  ['little', 'malta-selftest-el.elf'],
  ['big', 'malta-selftest-eb.elf'],
] as const;
const CHECKS = 'alu multiply branches memory exceptions tlb fpu ram pci count i8254 uart irq rtc display'.split(' ');

describe('the built-in self-test', () => {
  it('was built from the sources beside it', () => {
    const hash = createHash('sha256');
    for (const source of ['start.S', 'self-test.c', 'self-test.h', 'self-test.ld']) {
      hash.update(readFileSync(join(folder, source)));
    }
    expect(hash.digest('hex')).toBe(SELF_TEST_SOURCE_SHA256);
  });

  it.each(ORDERS)('embeds the %s-endian ELF file', (byteOrder, file) => {
    expect(Buffer.from(selfTestFirmware('malta', byteOrder)).equals(readFileSync(join(folder, file)))).toBe(true);
  });

  it.each(ORDERS)(
    'passes on QEMU, %s-endian',
    async (byteOrder, file) => {
      const { output } = await runQemuMalta({ byteOrder, kernel: join(folder, file), timeoutMs: 30_000 });
      expect(output).toContain('SELFTEST: PASS');
    },
    40_000,
  );
});

describe.each(['little', 'big'] as const)('the emulated board, %s-endian', (byteOrder) => {
  it.each(['4Kc', '24Kc', '24Kf', '34Kf'])(
    'passes its self-test with a %s and switches off',
    async (cpu) => {
      const machine = await createMachine({ board: 'malta', cpu, firmware: selfTestFirmware('malta', byteOrder) });
      let text = '';
      machine.onConsole(({ uart, data }) => {
        if (uart === 'uart0') text += new TextDecoder().decode(data);
      });
      const end = await runMachine(machine, { clock: 'virtual', timeoutNs: 20e9 });
      expect(text).toContain('SELFTEST: PASS');
      for (const check of CHECKS) expect(text).toMatch(new RegExp(`${check} .*ok`));
      expect(end.kind).toBe('power-off');
    },
    20_000,
  );

  it('reads an image anew when it is reset', async () => {
    const image = selfTestFirmware('malta', byteOrder);
    let reads = 0;
    const firmware = { read: () => (reads++, image) };
    const machine = await createMachine({ board: 'malta', firmware });
    const readAtStart = reads;
    for (let run = 0; run < 2; run++) {
      if (run > 0) machine.reset();
      let text = '';
      const stop = machine.onConsole(({ data }) => void (text += new TextDecoder().decode(data)));
      await runMachine(machine, { clock: 'virtual', timeoutNs: 40e9 });
      stop();
      expect(text).toContain('SELFTEST: PASS');
    }
    expect(reads).toBe(readAtStart + 1);
  });
});
