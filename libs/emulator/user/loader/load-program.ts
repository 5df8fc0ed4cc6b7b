import type { KernelAbi } from '../../targets/index.js';
import type { ExecutableFile } from '../files/index.js';
import { Errno } from '../kernel/contracts.js';
import type { GuestMemory, PageCache, VirtualMemory } from '../memory/index.js';
import { pageDown, pageUp, Protection } from '../memory/index.js';
import type { ElfProgram, ProgramHeader } from './elf.js';
import { machineName, parseProgram, ProgramError, ProgramHeaderType, SegmentFlag } from './elf.js';
import type { InitialStack } from './initial-stack.js';
import { buildInitialStack } from './initial-stack.js';

/** What execve puts into a fresh address space. */
export interface LoadRequest {
  readonly abi: KernelAbi;
  readonly program: ExecutableFile;
  /** The name by which the program was called (AT_EXECFN). */
  readonly calledAs: Uint8Array;
  readonly argv: readonly Uint8Array[];
  readonly environment: readonly Uint8Array[];
  readonly credentials: InitialStack['credentials'];
  /** 16 bytes for AT_RANDOM. */
  readonly random: Uint8Array;
  /** Bytes; Infinity without a limit. */
  readonly stackLimit: number;
  /** Opens PT_INTERP's path. @throws Errno */
  readonly openInterpreter: (path: string) => ExecutableFile;
}

export interface LoadedProgram {
  readonly entry: number;
  readonly stackPointer: number;
  readonly wideFpRegisters: boolean;
  /** Bytes of /proc/self/auxv. */
  readonly auxiliaryVector: Uint8Array;
  /** e_flags of the program's file. */
  readonly elfFlags: number;
}

/** A stack as large as this fits below every mapping (MIN_GAP and MAX_GAP of Linux's mmap layout). */
const MIN_STACK_GAP = 128 << 20;
const STACK_INITIAL_BYTES = 132 << 10;

/**
 * Maps a program, its interpreter and its stack into an empty address space.
 * @throws ProgramError saying what is wrong with a file, Errno
 */
export function loadProgram(
  request: LoadRequest,
  space: VirtualMemory,
  memory: GuestMemory,
  cache: PageCache,
): LoadedProgram {
  const { abi, program } = request;
  const { elf, mode, interpreter, interpreterElf } = openProgram(request);

  space.stackLimit = request.stackLimit;
  const stackTop = abi.addresses.limit - (abi.signalPage.length > 0 ? 4096 : 0);
  const gap = Math.min(Math.max(request.stackLimit, MIN_STACK_GAP), Math.floor((abi.addresses.limit / 6) * 5));
  space.mapTop = pageDown(stackTop - gap);
  const stackHeader = elf.headers.find(({ type }) => type === ProgramHeaderType.GnuStack);
  const executableStack = !stackHeader || (stackHeader.flags & SegmentFlag.Execute) !== 0;
  space.readImpliesExecute = executableStack;

  const fixed = interpreterElf ? abi.addresses.programBase : undefined;
  const image = mapImage(elf, program, space, memory, cache, elf.positionIndependent ? fixed : 0);
  const loader =
    interpreter && interpreterElf && mapImage(interpreterElf, interpreter, space, memory, cache, undefined);
  interpreter?.close();
  space.heap = { start: image.end, end: image.end };

  if (abi.signalPage.length > 0) {
    space.mapPages(stackTop, { length: 4096, protection: Protection.Read | Protection.Write, name: '[sigpage]' });
    memory.write(stackTop, abi.signalPage);
    space.protect(stackTop, 4096, Protection.Read | Protection.Execute);
  }
  const protection = Protection.Read | Protection.Write | (executableStack ? Protection.Execute : 0);
  space.mapPages(stackTop - STACK_INITIAL_BYTES, {
    length: STACK_INITIAL_BYTES,
    protection,
    growsDown: true,
    name: '[stack]',
  });
  const stack = buildInitialStack(
    {
      abi,
      calledAs: request.calledAs,
      argv: request.argv,
      environment: request.environment,
      credentials: request.credentials,
      random: request.random,
      programHeaders: image.programHeaders,
      programHeaderBytes: elf.headerBytes,
      programHeaderCount: elf.headers.length,
      interpreterBase: loader?.base ?? 0,
      entry: image.base + elf.entry,
    },
    stackTop,
    memory,
  );
  const entry = loader && interpreterElf ? loader.base + interpreterElf.entry : image.base + elf.entry;
  return { entry, wideFpRegisters: mode.wideFpRegisters, elfFlags: elf.flags, ...stack };
}

/**
 * Reads the headers of a program and of its interpreter, and holds them against the architecture.
 * @throws ProgramError saying what is wrong with a file, Errno
 */
export function openProgram(request: Pick<LoadRequest, 'abi' | 'program' | 'openInterpreter'>): {
  readonly elf: ElfProgram;
  readonly mode: { readonly wideFpRegisters: boolean };
  /** Open; of a program that is dynamically linked. */
  readonly interpreter: ExecutableFile | undefined;
  readonly interpreterElf: ElfProgram | undefined;
} {
  const { abi, program } = request;
  const elf = openElf(program, abi);
  const mode = checkAgainstCpu(elf, program, abi);
  const path = readInterpreter(elf, program);
  const interpreter = path === undefined ? undefined : openInterpreter(request, path);
  if (!interpreter) return { elf, mode, interpreter, interpreterElf: undefined };
  try {
    return { elf, mode, interpreter, interpreterElf: openElf(interpreter, abi) };
  } catch (error) {
    if (!(error instanceof ProgramError)) throw error;
    throw new ProgramError(`needs ${path}, which ${error.message}`, treeMend(abi), 'unfit interpreter');
  }
}

const treeMend = ({ name }: KernelAbi): string =>
  `Give a tree with the ${name} libraries: --root DIR, for example with Debian's libc6:${name} unpacked in it by dpkg -x; ` +
  'or link the program statically';

function openElf(file: ExecutableFile, abi: KernelAbi): ElfProgram {
  const elf = parseProgram((offset, length) => file.read(offset, length), file.size);
  if (elf.machine !== abi.elfMachine || elf.bits !== abi.pointerBytes * 8) {
    throw new ProgramError(
      `is a ${elf.bits}-bit program for ${machineName(elf.machine)}, not one for ${abi.pointerBytes * 8}-bit ${machineName(abi.elfMachine)}`,
      elf.machine === 62 || elf.machine === 183
        ? 'It is probably the host’s own program: with --root DIR the name is looked up in a tree of the right architecture'
        : 'Choose the architecture with --arch, or a program that was built for this one',
    );
  }
  if (elf.byteOrder !== abi.byteOrder) {
    const right = elf.byteOrder === 'little' ? 'mipsel' : 'mips';
    throw new ProgramError(
      `is a ${elf.byteOrder}-endian program, and --arch ${abi.name} is ${abi.byteOrder}-endian`,
      `Run it with --arch ${right}`,
    );
  }
  return elf;
}

function checkAgainstCpu(elf: ElfProgram, file: ExecutableFile, abi: KernelAbi): { wideFpRegisters: boolean } {
  const segment = elf.headers.find(({ type }) => type === abi.architectureSegmentType);
  try {
    return abi.checkProgram({
      flags: elf.flags,
      architectureSegment: segment && file.read(segment.offset, segment.fileBytes),
    });
  } catch (error) {
    throw new ProgramError(
      `cannot run here: ${error instanceof Error ? error.message : String(error)}`,
      'Build it for MIPS32 release 2, o32, -mnan=legacy',
    );
  }
}

function readInterpreter(elf: ElfProgram, file: ExecutableFile): string | undefined {
  const header = elf.headers.find(({ type }) => type === ProgramHeaderType.Interpreter);
  if (!header) return undefined;
  const bytes = file.read(header.offset, Math.min(header.fileBytes, 4096));
  const end = bytes.indexOf(0);
  if (end <= 0) throw new ProgramError('is an ELF file whose interpreter has no name', 'Link it again');
  return Buffer.from(bytes.subarray(0, end)).toString('latin1');
}

function openInterpreter(request: Pick<LoadRequest, 'abi' | 'openInterpreter'>, path: string): ExecutableFile {
  try {
    return request.openInterpreter(path);
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    throw new ProgramError(
      `is dynamically linked and needs ${path}, which ${error.code === 'ENOENT' ? 'does not exist' : `cannot be opened (${error.code})`}`,
      treeMend(request.abi),
      'missing interpreter',
    );
  }
}

/**
 * Maps an ELF file's segments. @param at distance from its link addresses; undefined lets the kernel choose
 * @returns `base`: what was added to the file's addresses; `end`: first byte after the image, page-aligned
 */
function mapImage(
  elf: ElfProgram,
  file: ExecutableFile,
  space: VirtualMemory,
  memory: GuestMemory,
  cache: PageCache,
  at: number | undefined,
): { base: number; end: number; programHeaders: number } {
  const loads = elf.headers.filter(({ type }) => type === ProgramHeaderType.Load);
  const [first] = loads;
  if (!first) throw new ProgramError('is an ELF file with nothing to load', 'Link it again');
  const lowest = pageDown(Math.min(...loads.map(({ virtualAddress }) => virtualAddress)));
  const highest = pageUp(Math.max(...loads.map(({ virtualAddress, memoryBytes }) => virtualAddress + memoryBytes)));
  const align = Math.max(4096, ...loads.map((header) => header.align));
  let base = at;
  if (base === undefined) {
    const gap = space.map.findGap(highest - lowest + align, space.mapTop);
    if (gap === undefined) throw new Errno('ENOMEM');
    base = Math.ceil(gap / align) * align - lowest;
  }
  if (base + lowest < space.map.lowest || base + highest > space.mapTop)
    throw new ProgramError('is linked to addresses outside user space', 'Link it to addresses below 2 GiB');
  const source = cache.open(file.mapping());
  source.retain(); // until the segments hold it
  try {
    for (const header of loads) mapSegment(header, base, space, memory, source);
  } finally {
    source.release();
  }
  const tableSegment = loads.find(
    ({ offset, fileBytes }) => elf.headerOffset >= offset && elf.headerOffset < offset + fileBytes,
  );
  const programHeaders = tableSegment
    ? base + tableSegment.virtualAddress + elf.headerOffset - tableSegment.offset
    : base + lowest + elf.headerOffset;
  return { base, end: base + highest, programHeaders };
}

function mapSegment(
  header: ProgramHeader,
  base: number,
  space: VirtualMemory,
  memory: GuestMemory,
  source: ReturnType<PageCache['open']>,
): void {
  const { virtualAddress, fileBytes, memoryBytes, offset } = header;
  if (memoryBytes === 0) return;
  const start = pageDown(base + virtualAddress);
  const fileEnd = base + virtualAddress + fileBytes;
  const end = pageUp(base + virtualAddress + memoryBytes);
  let protection = 0;
  if (header.flags & SegmentFlag.Read) protection |= Protection.Read;
  if (header.flags & SegmentFlag.Write) protection |= Protection.Write;
  if (header.flags & SegmentFlag.Execute) protection |= Protection.Execute;
  const filePagesEnd = fileBytes > 0 ? pageUp(fileEnd) : start;
  if (filePagesEnd > start)
    space.mapPages(start, { length: filePagesEnd - start, protection, source, sourcePage: pageDown(offset) / 4096 });
  if (end > filePagesEnd) space.mapPages(filePagesEnd, { length: end - filePagesEnd, protection });
  // What follows the file's bytes on their last page is the start of the bss.
  if (memoryBytes > fileBytes && filePagesEnd > fileEnd && header.flags & SegmentFlag.Write)
    memory.write(fileEnd, new Uint8Array(Math.min(filePagesEnd, base + virtualAddress + memoryBytes) - fileEnd));
}
