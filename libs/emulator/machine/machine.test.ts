import { describe, expect, it } from '@jest/globals';
import { translateInline } from '../accel/index.js';
import { selfTestFirmware } from '../boards/index.js';
import { shrinkHeap } from '../threads/index.js';
import { createMachine } from './index.js';

/** An image in a file, with what it has given out. */
class CountedFile {
  readonly given: WeakRef<Uint8Array>[] = [];

  read(): Uint8Array {
    const bytes = selfTestFirmware('malta', 'little').slice();
    this.given.push(new WeakRef(bytes));
    return bytes;
  }
}

describe('a machine whose images are files', () => {
  it('reads them once when it is made and once each time it is reset, and keeps nothing of them', async () => {
    const firmware = new CountedFile();
    const machine = await createMachine({ board: 'malta', firmware }, { translationService: translateInline });
    expect(firmware.given).toHaveLength(1);
    machine.run({ instructions: 1000 });
    machine.reset();
    expect(firmware.given).toHaveLength(2);
    machine.run({ instructions: 1000 });
    await new Promise((resolve) => setImmediate(resolve)); // what a WeakRef was made of stays until the end of the task
    shrinkHeap();
    expect(firmware.given.map((bytes) => bytes.deref())).toEqual([undefined, undefined]);
    machine.close();
  });
});
