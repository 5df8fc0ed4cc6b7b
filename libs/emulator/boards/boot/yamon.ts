import type { ByteOrder } from '../../core/index.js';

/**
 * What the YAMON boot monitor hands to a program that it starts with `go`: an argument vector, an environment and the
 * memory size, all in 32-bit KSEG0 pointers.
 * Source: YAMON User's Manual (MIPS MD00008), "go" command and appendix on the application interface; Linux reads the
 * same tables in arch/mips/fw/lib/cmdline.c.
 */
export interface YamonTables {
  /** Bytes to place at the physical address the tables were made for. */
  readonly bytes: Uint8Array;
  /** Register arguments: argc, argv, envp, memory size. */
  readonly a0: number;
  readonly a1: number;
  readonly a2: number;
  readonly a3: number;
}

export interface YamonOptions {
  /** Physical address of the tables. */
  readonly base: number;
  readonly byteOrder: ByteOrder;
  /** argv[0] is the program's name, the kernel's arguments follow. */
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Bytes of memory that the program may use without further thought. */
  readonly memoryBytes: number;
}

/** Start of the cached, unmapped segment (MIPS32 PRA, section 4.3.1). */
export const KSEG0 = 0x8000_0000;

export function yamonTables({ base, byteOrder, argv, environment, memoryBytes }: YamonOptions): YamonTables {
  const strings = [...argv, ...Object.entries(environment).flat()];
  // argv and then envp, each with a null pointer behind it; the environment alternates names and values.
  const pointerBytes = 4 * (strings.length + 2);
  const encoded = strings.map((text) => new TextEncoder().encode(text));
  const bytes = new Uint8Array(pointerBytes + encoded.reduce((sum, text) => sum + text.length + 1, 0));
  const view = new DataView(bytes.buffer);
  let slot = 0;
  let at = pointerBytes;
  const envpOffset = 4 * (argv.length + 1);
  encoded.forEach((text, index) => {
    if (index === argv.length) slot = envpOffset;
    view.setUint32(slot, KSEG0 + base + at, byteOrder === 'little');
    bytes.set(text, at);
    slot += 4;
    at += text.length + 1;
  });
  return { bytes, a0: argv.length, a1: KSEG0 + base, a2: KSEG0 + base + envpOffset, a3: memoryBytes };
}
