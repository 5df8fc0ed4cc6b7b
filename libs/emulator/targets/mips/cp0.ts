/**
 * Coprocessor 0 of MIPS32 release 2: register numbers, field layouts, exception codes.
 * Source: MIPS Architecture For Programmers Volume III: The MIPS32 Privileged Resource Architecture, chapter 9
 * (MD00090, revision 2.62).
 */

/** `register * 8 + select` */
export const Cp0 = {
  Index: 0,
  MvpControl: 1,
  MvpConf0: 2,
  Random: 8,
  VpeControl: 9,
  VpeConf0: 10,
  VpeConf1: 11,
  EntryLo0: 16,
  TcStatus: 17,
  TcBind: 18,
  TcRestart: 19,
  TcHalt: 20,
  TcContext: 21,
  EntryLo1: 24,
  Context: 32,
  UserLocal: 34,
  PageMask: 40,
  PageGrain: 41,
  Wired: 48,
  SrsConf0: 49,
  HwrEna: 56,
  BadVAddr: 64,
  Count: 72,
  EntryHi: 80,
  Compare: 88,
  Status: 96,
  IntCtl: 97,
  SrsCtl: 98,
  SrsMap: 99,
  Cause: 104,
  Epc: 112,
  PrId: 120,
  EBase: 121,
  Config: 128,
  Config1: 129,
  Config2: 130,
  Config3: 131,
  Config6: 134,
  Config7: 135,
  LlAddr: 136,
  WatchLo: 144,
  WatchHi: 152,
  Debug: 184,
  Depc: 192,
  PerfCtl: 200,
  ErrCtl: 208,
  CacheErr: 216,
  TagLo: 224,
  DataLo: 225,
  DTagLo: 226,
  TagHi: 232,
  DataHi: 233,
  ErrorEpc: 240,
  DeSave: 248,
} as const;

export const ExceptionCode = {
  Interrupt: 0,
  TlbModified: 1,
  TlbLoad: 2,
  TlbStore: 3,
  AddressErrorLoad: 4,
  AddressErrorStore: 5,
  BusErrorFetch: 6,
  BusErrorData: 7,
  Syscall: 8,
  Breakpoint: 9,
  ReservedInstruction: 10,
  CoprocessorUnusable: 11,
  Overflow: 12,
  Trap: 13,
  FloatingPoint: 15,
  Watch: 23,
  MachineCheck: 24,
} as const;
export type ExceptionCode = (typeof ExceptionCode)[keyof typeof ExceptionCode];

/** Status register fields (section 9.20). */
export const Status = {
  IE: 1 << 0,
  EXL: 1 << 1,
  ERL: 1 << 2,
  KSU_SHIFT: 3,
  KSU: 3 << 3,
  IM: 0xff << 8,
  NMI: 1 << 19,
  SR: 1 << 20,
  TS: 1 << 21,
  BEV: 1 << 22,
  RE: 1 << 25,
  FR: 1 << 26,
  RP: 1 << 27,
  CU0: 1 << 28,
  CU1: 1 << 29,
} as const;

/** Cause register fields (section 9.24). */
export const Cause = {
  CODE: 0x1f << 2,
  IP: 0xff << 8,
  /** The two software interrupts. */
  IP_SOFTWARE: 3 << 8,
  WP: 1 << 22,
  IV: 1 << 23,
  DC: 1 << 27,
  CE: 3 << 28,
  TI: 1 << 30,
  BD: 1 << 31,
} as const;

/** Kernel mode, supervisor mode, user mode: the value of Status.KSU, 0 while EXL or ERL is set. */
export const Mode = { Kernel: 0, Supervisor: 1, User: 2 } as const;
export type Mode = (typeof Mode)[keyof typeof Mode];

/** Start of the directly mapped, cached segment. */
export const KSEG0 = 0x80000000;
/** Distance of the general exception vector from the vectors' base (table 5.5). */
export const VECTOR_GENERAL = 0x180;

export const ENTRY_LO = { G: 1, V: 2, D: 4, C: 0x38, PFN_SHIFT: 6, WRITABLE: 0x3fffffff } as const;
export const ENTRY_HI = { ASID: 0xff, VPN2: 0xffffe000 | 0 } as const;

/** Cause.TI, and the interrupt line that IntCtl.IPTI routes the timer to. */
export const INT_CTL = { IPTI_SHIFT: 29, IPPCI_SHIFT: 26, VS: 0x1f << 5 } as const;

/**
 * Registers of the multi-threading extension that software may write on a core with one virtual processing element and
 * one thread context, and their writable bits (MIPS MT module, MD00378, chapter 6). MVPConf0.PTC and PVPE are 0: there
 * is nothing beyond the context that runs, so what concerns others is kept or ignored.
 */
export const MT_WRITABLE: ReadonlyMap<number, number> = new Map([
  [Cp0.MvpControl, 0x00000003], // VPC, EVP
  [Cp0.VpeControl, 0x003080ff], // YSI, GSI, TE, TargTC
  [Cp0.VpeConf0, 0x00000003], // MVP, VPA
  [Cp0.TcStatus, 0x0010a000], // DT, DA, A
  [Cp0.TcRestart, -1],
  [Cp0.TcContext, -1],
]);
/** VPEConf0.MVP and VPA, TCStatus.A: the one processing element is the master and active, as is its thread context. */
export const MT_RESET = { VPE_CONF0: 0x3, TC_STATUS: 0x2000, PTLBE_SHIFT: 16 } as const;
