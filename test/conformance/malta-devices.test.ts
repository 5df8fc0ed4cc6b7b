import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { describeWith, guest } from '../support/requirements.js';
import { bootMalta } from './bootlab.js';

const FIVE_MINUTES = 300_000;

describeWith('u-boot', "Debian's U-Boot in Malta's flash", () => {
  it(
    'starts at the reset vector, finds the board and takes commands',
    async () => {
      const run = await bootMalta(
        [
          ...['--firmware', '/usr/lib/u-boot/maltael/u-boot.bin', '--byte-order', 'little', '--timeout', '2m'],
          ...['--expect', 'maltael # ', '--send', 'pci\\n', '--expect', 'maltael # '],
          ...['--send', 'echo speed-${baudrate}\\n', '--expect', 'speed-\\d+'],
        ],
        FIVE_MINUTES,
      );
      expect(run.status).toBe(0);
      expect(run.output).toContain('Board: MIPS Malta CoreLV');
      expect(run.output).toMatch(/0x8086\s+0x7111/);
    },
    FIVE_MINUTES,
  );
});

describeWith('malta-be', "Linux's disk driver on the IDE channels", () => {
  it(
    'reads and writes by bus-master DMA; the image file stays as it was',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'bootlab-disk-'));
      try {
        const image = Buffer.alloc(2 << 20);
        for (let word = 0; word < image.length; word += 4)
          image.writeUInt32LE(Math.imul(word, 0x9e37_79b1) >>> 0, word);
        const file = join(folder, 'disk.img');
        writeFileSync(file, image);
        const digest = createHash('md5').update(image).digest('hex');
        const { kernel, initrd } = guest('malta-be');
        const again = 'dd if=/dev/sdb bs=4k skip=3 count=64 2>/dev/null | dd of=/dev/sdb bs=4k seek=256 2>/dev/null';
        const compare = 'echo 3 >/proc/sys/vm/drop_caches; cmp -s -n 262144 /dev/sdb /dev/sdb 12288 1048576';
        const run = await bootMalta(
          [
            ...['--kernel', kernel, '--initrd', initrd, '--append', 'console=ttyS0 corpus=shell', '--timeout', '2m'],
            ...['--drive', file, '--drive', file, '--expect', '/ # '],
            ...['--send', `md5sum /dev/sda; ${again}; sync; ${compare} && echo disk"-"good; poweroff -f\\n`],
            ...['--expect', digest, '--expect', 'disk-good', '--expect', 'Power down'],
          ],
          FIVE_MINUTES,
        );
        expect(run.output).toContain('ATA-6: BOOTLAB HARDDISK');
        expect(run.output).not.toMatch(/ata\d.*(error|failed|timeout)/i);
        expect(run.status).toBe(0);
        expect(readFileSync(file).equals(image)).toBe(true);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
    FIVE_MINUTES,
  );
});
