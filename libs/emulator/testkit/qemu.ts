import type { ByteOrder } from '../core/index.js';
import { requireProgram } from './prerequisites.js';
import type { ProcessOptions, ProcessRun } from './process.js';
import { runProcess } from './process.js';

/** QEMU from the distribution, as an oracle and a peer for tests and benchmarks. Never used by the product. */

export interface QemuMaltaOptions extends ProcessOptions {
  byteOrder: ByteOrder;
  kernel: string;
  initrd?: string;
  cmdline?: string;
  /** Default 24Kf, QEMU's own. */
  cpu?: string;
  memoryMiB?: number;
  /**
   * File for the first serial port's output instead of standard output. Nothing is lost there: QEMU drops characters
   * that a pipe does not take at once.
   */
  serialFile?: string;
}

/** The program's path. @throws MissingPrerequisite */
export const qemuSystemMips = (byteOrder: ByteOrder): string =>
  requireProgram(byteOrder === 'little' ? 'qemu-system-mipsel' : 'qemu-system-mips', 'qemu-system-mips');

/** The program's path. @throws MissingPrerequisite */
export const qemuUserMips = (byteOrder: ByteOrder): string =>
  requireProgram(byteOrder === 'little' ? 'qemu-mipsel' : 'qemu-mips', 'qemu-user');

/**
 * QEMU's arguments for a Malta board with what Bootlab's has: serial console on standard output, no display and no
 * network card (both would need option ROMs from further packages), ending where the guest resets itself.
 */
export function qemuMaltaArguments(options: Omit<QemuMaltaOptions, keyof ProcessOptions>): string[] {
  const args = ['-M', 'malta', '-cpu', options.cpu ?? '24Kf', '-m', String(options.memoryMiB ?? 256)];
  args.push(
    '-nodefaults',
    '-display',
    'none',
    '-vga',
    'none',
    '-serial',
    options.serialFile === undefined ? 'stdio' : `file:${options.serialFile}`,
    '-no-reboot',
    '-kernel',
    options.kernel,
  );
  if (options.initrd !== undefined) args.push('-initrd', options.initrd);
  if (options.cmdline !== undefined) args.push('-append', options.cmdline);
  return args;
}

/** Boots a kernel on QEMU's Malta board and collects the first serial port. */
export function runQemuMalta(options: QemuMaltaOptions): Promise<ProcessRun> {
  return runProcess(qemuSystemMips(options.byteOrder), qemuMaltaArguments(options), options);
}

export interface QemuUserOptions extends ProcessOptions {
  byteOrder: ByteOrder;
  cpu?: string;
  args?: readonly string[];
}

/** Runs a static Linux program under QEMU's user-mode emulation. */
export function runQemuUser(program: string, options: QemuUserOptions): Promise<ProcessRun> {
  const cpu = options.cpu === undefined ? [] : ['-cpu', options.cpu];
  return runProcess(qemuUserMips(options.byteOrder), [...cpu, program, ...(options.args ?? [])], options);
}
