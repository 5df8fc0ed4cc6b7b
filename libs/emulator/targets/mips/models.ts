import { ConfigError } from '../../core/index.js';

/**
 * CPU models by what software can tell apart: identification and configuration registers.
 * Sources: the cores' Software User's Manuals (MIPS32 4Kc MD00016, 24K family MD00343, 34K family MD00534) and the
 * register descriptions of the privileged architecture (MD00090, section 9.27 and following).
 */
export interface MipsModel {
  readonly id: string;
  readonly description: string;
  /** Processor identification: company, processor, revision. */
  readonly prId: number;
  /** The 24K and 34K can be built with 16, 32 or 64 entries; 64 here, which saves refills. The 4Kc has 16. */
  readonly tlbEntries: number;
  /** Cache geometry as Config1 encodes it: sets per way 64 << is, line 2 << il bytes, ways a + 1. */
  readonly icache: { readonly s: number; readonly l: number; readonly a: number };
  readonly dcache: { readonly s: number; readonly l: number; readonly a: number };
  readonly fpu: boolean;
  /** FIR: what the FPU implements. */
  readonly fir: number;
  readonly release: 1 | 2;
  readonly config3: number;
  readonly config7: number;
  /** Number of shadow register sets beyond the first: 0, SRSCtl.HSS. */
  readonly multithreaded: boolean;
}

const cache = { s: 2, l: 4, a: 3 } as const; // 256 sets × 32 bytes × 4 ways = 32 KiB
/** Config3 bits: vectored interrupts are architectural in release 2 (VInt), 34K adds MT. UserLocal: ULRI. */
const CONFIG3_VINT = 1 << 5;
const CONFIG3_MT = 1 << 2;
/** Config7.WII: `wait` wakes on an interrupt that is masked by Status.IE. */
const CONFIG7_WII = 1 << 31;

/** FIR of the 24Kf and 34Kf: 64-bit registers, long and word fixed point, double, single; processor id 0x93, 0x95. */
const FIR_F64_L_W_D_S = (1 << 22) | (1 << 21) | (1 << 20) | (1 << 17) | (1 << 16);

export const MIPS_MODELS: readonly MipsModel[] = [
  {
    id: '4Kc',
    description: 'MIPS32 4Kc: release 1 core with TLB, no FPU',
    prId: 0x00018000,
    tlbEntries: 16,
    icache: { s: 1, l: 3, a: 1 },
    dcache: { s: 1, l: 3, a: 1 },
    fpu: false,
    fir: 0,
    release: 1,
    config3: 0,
    config7: 0,
    multithreaded: false,
  },
  {
    id: '24Kc',
    description: 'MIPS32 24Kc: release 2 core with TLB, no FPU',
    prId: 0x00019300,
    tlbEntries: 64,
    icache: cache,
    dcache: cache,
    fpu: false,
    fir: 0,
    release: 2,
    config3: CONFIG3_VINT,
    config7: CONFIG7_WII,
    multithreaded: false,
  },
  {
    id: '24Kf',
    description: 'MIPS32 24Kf: release 2 core with TLB and 64-bit FPU',
    prId: 0x00019300,
    tlbEntries: 64,
    icache: cache,
    dcache: cache,
    fpu: true,
    fir: FIR_F64_L_W_D_S | (0x93 << 8),
    release: 2,
    config3: CONFIG3_VINT,
    config7: CONFIG7_WII,
    multithreaded: false,
  },
  {
    id: '34Kf',
    description: 'MIPS32 34Kf: as 24Kf with the multi-threading extension present and one thread context in use',
    prId: 0x00019500,
    tlbEntries: 64,
    icache: cache,
    dcache: cache,
    fpu: true,
    fir: FIR_F64_L_W_D_S | (0x95 << 8),
    release: 2,
    config3: CONFIG3_VINT | CONFIG3_MT,
    config7: CONFIG7_WII,
    multithreaded: true,
  },
];

/** @throws ConfigError naming the models that exist */
export function mipsModel(id: string): MipsModel {
  const model = MIPS_MODELS.find((candidate) => candidate.id === id);
  if (!model)
    throw new ConfigError(
      'cpu',
      `there is no MIPS CPU model '${id}'`,
      `choose one of ${MIPS_MODELS.map((m) => m.id).join(', ')}`,
    );
  return model;
}
