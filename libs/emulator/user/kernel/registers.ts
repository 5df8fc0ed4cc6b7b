import type { UserCpu } from '../../targets/index.js';
import type { Thread } from './thread.js';

/** Looks at, or changes, registers of a thread that is not the one that runs. */
export function withRegisters<T>(thread: Thread, work: (cpu: UserCpu) => T): T {
  const { cpu } = thread.kernel.parts;
  const own = cpu.saveState();
  cpu.loadState(thread.registers);
  try {
    return work(cpu);
  } finally {
    thread.registers = cpu.saveState();
    cpu.loadState(own);
  }
}
