// linux-abi: Linux for MIPS o32 as programs see it. Numbers (syscalls, errno, signals), the frames of signal handlers
// (signal-frame), what a program's file asks of the CPU (program), structures of files (files).
import type { ByteOrder } from '../../../core/index.js';
import type { KernelAbi } from '../../linux-abi/kernel-abi.js';
import { mipsModel } from '../models.js';
import { MipsUserCpu } from '../user-cpu.js';
import { mipsErrno } from './errno.js';
import { MIPS_O32_FILES } from './files.js';
import { mipsO32Ipc } from './ipc.js';
import { checkMipsProgram, PT_MIPS_ABIFLAGS } from './program.js';
import { SIGNAL_PAGE_ADDRESS, signalPage } from './signal-frame.js';
import * as signals from './signals.js';
import { o32Syscall } from './syscalls.js';

/** The core that user mode emulates: release 2 with a 64-bit FPU. */
const CPU_MODEL = '24Kf';

/** As Linux prints it on such a core; speed and caches do not exist here. */
const CPUINFO = `system type\t\t: Bootlab user mode
machine\t\t\t: Unknown
processor\t\t: 0
cpu model\t\t: MIPS 24Kc V0.0  FPU V0.0
BogoMIPS\t\t: 500.00
wait instruction\t: no
microsecond timers\t: yes
tlb_entries\t\t: 64
isa\t\t\t: mips1 mips2 mips32r1 mips32r2
ASEs implemented\t:
shadow register sets\t: 1
core\t\t\t: 0
VCED exceptions\t\t: not available
VCEI exceptions\t\t: not available

`;

/** Linux on MIPS o32. Source of the numbers here: asm/mman.h and asm/resource.h of Linux 6.1's user-space headers. */
export function mipsO32(byteOrder: ByteOrder): KernelAbi {
  const little = byteOrder === 'little';
  return {
    name: little ? 'mipsel' : 'mips',
    byteOrder,
    pointerBytes: 4,
    machine: 'mips',
    elfMachine: 8,
    architectureSegmentType: PT_MIPS_ABIFLAGS,
    basePlatform: 'mips32r2',
    cpuinfo: CPUINFO,
    hardwareCapabilities: 0,
    addresses: { lowest: 0x10000, limit: SIGNAL_PAGE_ADDRESS + 0x1000, programBase: 0x55550000 },
    signalPage: signalPage(little),
    files: MIPS_O32_FILES,
    ipc: mipsO32Ipc(byteOrder),
    syscall: o32Syscall,
    errno: mipsErrno,
    signals: signals.MIPS_SIGNALS,
    lastSignal: signals.MIPS_LAST_SIGNAL,
    maskOperations: signals.MASK_OPERATIONS,
    actionFlags: signals.ACTION_FLAGS,
    mapFlags: { fixed: 0x10, anonymous: 0x800, growsDown: 0x1000, fixedNoReplace: 0x100000, populate: 0x10000 },
    resources: { cpu: 0, data: 2, stack: 3, files: 5, addressSpace: 6 },
    infiniteLimit: 0x7fffffff,
    cloneArguments: { parentTid: 2, tls: 3, childTid: 4 },
    timerSignalCode: -3,
    signalSetBytes: signals.SIGNAL_SET_BYTES,
    readSignalSet: signals.readSignalSet,
    writeSignalSet: signals.writeSignalSet,
    readSignalAction: signals.readSignalAction,
    writeSignalAction: signals.writeSignalAction,
    readSignalStack: signals.readSignalStack,
    writeSignalStack: signals.writeSignalStack,
    encodeSignalInfo: (info) => signals.encodeSignalInfo(info, little),
    checkProgram: checkMipsProgram,
    createCpu: (host, mmu, cycles) => new MipsUserCpu(host, { model: mipsModel(CPU_MODEL), byteOrder, mmu, cycles }),
  };
}
