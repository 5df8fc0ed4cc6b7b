import type { createMachine, Machine, MachineConfig, selfTestFirmware } from '@bootlab/emulator';
import type { ImageFile } from '@bootlab/emulator/backends';
import { BoardFiles, sha256InPlace } from '@bootlab/emulator/backends';
import { ConfigError } from '@bootlab/emulator/core';
import { imageName, translateInThread } from '@bootlab/emulator/threads';
import { UsageError } from '../exit-codes.js';
import type { Stores } from '../kept.js';
import { engineStores } from '../kept.js';
import { readable } from './files.js';
import type { BootOptions } from './options.js';

export interface MachineMaker extends Stores {
  createMachine: typeof createMachine;
  selfTestFirmware: typeof selfTestFirmware;
}

/** A machine and the files that it keeps open. */
export interface OpenMachine {
  machine: Machine;
  close(): void;
}

/** Options whose name is not the configuration field's with two dashes before it. */
const OPTION_OF_FIELD: Readonly<Record<string, string>> = {
  memoryBytes: '--memory',
  byteOrder: '--byte-order',
  cmdline: '--append',
  drives: '--drive',
  rtcStartSeconds: '--rtc',
};

/**
 * Builds the machine that the options describe. Drives are given to the guest through copy-on-write overlays: it may
 * write to them, the image files never change.
 * @param warn takes the emulator's remarks
 * @throws UsageError naming the option that does not fit
 */
export async function openMachine(
  options: BootOptions,
  maker: MachineMaker,
  warn: (text: string) => void,
): Promise<OpenMachine> {
  const files = new BoardFiles();
  try {
    const { accel, jitThreshold, cache } = options;
    const engine = {
      accel,
      jitThreshold,
      translationService: translateInThread,
      ...engineStores(maker, cache),
      sha256: sha256InPlace,
      imageName,
      warn,
    };
    const machine = await maker.createMachine(configOf(options, files, maker), engine);
    return {
      machine,
      close: () => {
        machine.close();
        files.close();
      },
    };
  } catch (error) {
    files.close();
    if (!(error instanceof ConfigError)) throw error;
    const option = OPTION_OF_FIELD[error.field] ?? `--${error.field}`;
    throw new UsageError(`${option}: ${error.problem}. ${error.mend}.`, { cause: error });
  }
}

function configOf(options: BootOptions, files: BoardFiles, maker: MachineMaker): MachineConfig {
  const { board, cpu, memoryBytes, byteOrder, cmdline, rtcStartSeconds, kernel, initrd, firmware } = options;
  const image = (option: string, path: string | undefined): ImageFile | undefined =>
    readable(option, () => files.image(path));
  return {
    board,
    cpu,
    memoryBytes,
    byteOrder,
    cmdline,
    rtcStartSeconds,
    kernel: image('--kernel', kernel),
    initrd: image('--initrd', initrd),
    firmware:
      firmware === 'selftest' ? maker.selfTestFirmware(board, byteOrder ?? 'little') : image('--firmware', firmware),
    drives: options.drives.map((path) => files.drive(path)),
  };
}
