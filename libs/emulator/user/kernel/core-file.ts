/**
 * Core files, core(5): what a process was when a signal ended it, for debuggers. Source: System V ABI edition 4.1, chapters 4 and
 * 5; notes as linux/elfcore.h and linux/elf.h of Linux 6.1's user-space headers lay them out.
 */
import type { SignalInfo } from '../../targets/index.js';
import { plainFlags, RegularFile } from '../files/open-file.js';
import type { OpenFile } from '../files/open-file.js';
import { SegmentFlag } from '../loader/index.js';
import type { Mapping } from '../memory/index.js';
import { concatenate, Protection } from '../memory/index.js';
import { Errno } from './contracts.js';
import { withRegisters } from './registers.js';
import type { Thread } from './thread.js';

/** RLIMIT_CORE, the same on all ABIs. */
export const CORE_LIMIT = 4;

const PAGE = 4096;
const ELF_HEADER_BYTES = 52;
const PROGRAM_HEADER_BYTES = 32;
/** A file counts its segments in 16 bits. */
const MAX_SEGMENTS = 0xfff0;
const ET_CORE = 4;
const PT_LOAD = 1;
const PT_NOTE = 4;
const Note = { Status: 1, Floats: 2, Process: 3, Auxiliary: 6, SignalInfo: 0x53494749, Files: 0x46494c45 } as const;

/** A part of the address space in the file. */
interface Segment {
  readonly mapping: Mapping;
  /** Bytes from its start that the file holds. */
  readonly bytes: number;
}

/**
 * Writes the file `core` into the process's working directory, if its limit allows one.
 * @param thread the one that the signal came to, whose registers are loaded
 * @returns whether there is a core file now
 */
export function writeCoreFile(thread: Thread, info: SignalInfo): boolean {
  const { owner } = thread;
  const limit = owner.limit(CORE_LIMIT).soft;
  if (limit === 0 || owner.dumpable !== 1) return false;
  const file = createFile(thread);
  if (!file) return false;
  try {
    write(file, thread, info, limit);
    return true;
  } catch (error) {
    if (error instanceof Errno) return false; // no room; what is there stays, as on Linux
    throw error;
  } finally {
    file.drop();
  }
}

function createFile({ owner, kernel }: Thread): RegularFile | undefined {
  const { files, view } = owner;
  let opened: OpenFile | undefined;
  try {
    const resolution = files.resolve('core', view, { follow: false });
    kernel.parts.files.open(
      resolution,
      {
        flags: plainFlags({ write: true }),
        ...{ create: true, exclusive: false, truncate: true, temporary: false, mode: 0o600 },
      },
      view,
      (file) => {
        opened = file.retain();
        return 0;
      },
    );
  } catch (error) {
    if (error instanceof Errno) return undefined; // the folder cannot be written to, for example
    throw error;
  }
  if (opened instanceof RegularFile) return opened;
  opened?.drop();
  return undefined;
}

function write(file: RegularFile, thread: Thread, info: SignalInfo, limit: number): void {
  const { space } = thread.owner;
  const segments = space.map.all
    .slice(0, MAX_SEGMENTS)
    .map((mapping): Segment => ({ mapping, bytes: dumpedBytes(thread, mapping) }));
  const notes = concatenate(notesOf(thread, info));
  const headersEnd = ELF_HEADER_BYTES + PROGRAM_HEADER_BYTES * (segments.length + 1);
  const put = (offset: number, bytes: Uint8Array): void => {
    if (offset < limit) file.write(bytes.subarray(0, Math.min(bytes.length, limit - offset)), offset);
  };
  let offset = Math.ceil((headersEnd + notes.length) / PAGE) * PAGE;
  const rows = [[PT_NOTE, headersEnd, 0, 0, notes.length, 0, 0, 4]];
  for (const { mapping, bytes } of segments) {
    const { start, end, protection } = mapping;
    rows.push([PT_LOAD, offset, start, 0, bytes, end - start, flagsOf(protection), PAGE]);
    space.forEachPage(start, start + bytes, (address, page) => put(offset + address - start, page));
    offset += bytes;
  }
  put(0, header(thread, segments.length + 1));
  const words = new DataView(new ArrayBuffer(rows.length * PROGRAM_HEADER_BYTES));
  const little = thread.kernel.abi.byteOrder === 'little';
  rows.flat().forEach((word, i) => words.setUint32(4 * i, word, little));
  put(ELF_HEADER_BYTES, new Uint8Array(words.buffer));
  put(headersEnd, notes);
  // Pages that nobody touched are holes, at the end, too.
  if (offset <= limit && offset > 0) file.write(new Uint8Array(1), offset - 1 < headersEnd ? headersEnd : offset - 1);
}

/** What Linux dumps unless told otherwise: the process's own pages, and of mapped programs the first page with their headers. */
function dumpedBytes({ owner }: Thread, mapping: Mapping): number {
  const { start, end, source, sourcePage, protection } = mapping;
  if (protection === Protection.None) return 0;
  if (!source?.file || owner.space.hasOwnPages(mapping)) return end - start;
  return sourcePage === 0 ? PAGE : 0;
}

function flagsOf(protection: number): number {
  return (
    (protection & Protection.Read ? SegmentFlag.Read : 0) |
    (protection & Protection.Write ? SegmentFlag.Write : 0) |
    (protection & Protection.Execute ? SegmentFlag.Execute : 0)
  );
}

function header({ kernel, owner }: Thread, segments: number): Uint8Array {
  const { abi } = kernel;
  const little = abi.byteOrder === 'little';
  const bytes = new Uint8Array(ELF_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, abi.pointerBytes === 8 ? 2 : 1, little ? 1 : 2, 1]);
  view.setUint16(16, ET_CORE, little);
  view.setUint16(18, abi.elfMachine, little);
  view.setUint32(20, 1, little);
  view.setUint32(28, ELF_HEADER_BYTES, little);
  view.setUint32(36, owner.program.elfFlags, little);
  view.setUint16(40, ELF_HEADER_BYTES, little);
  view.setUint16(42, PROGRAM_HEADER_BYTES, little);
  view.setUint16(44, segments, little);
  return bytes;
}

// ---- notes ---------------------------------------------------------------------------------------------------------------

/** The thread that died comes first: that is the one that debuggers show. */
function notesOf(thread: Thread, info: SignalInfo): Uint8Array[] {
  const { owner, kernel } = thread;
  const little = kernel.abi.byteOrder === 'little';
  const note = (type: number, content: Uint8Array): Uint8Array => {
    const bytes = new Uint8Array(20 + Math.ceil(content.length / 4) * 4);
    const view = new DataView(bytes.buffer);
    [5, content.length, type].forEach((word, i) => view.setUint32(4 * i, word, little));
    bytes.set(new TextEncoder().encode('CORE'), 12);
    bytes.set(content, 20);
    return bytes;
  };
  const ofThread = (one: Thread): Uint8Array[] => {
    const sets = [Note.Status, Note.Floats].map((type) => {
      const set = (cpu: Thread['kernel']['parts']['cpu']): Uint8Array =>
        cpu.debugRegisters.registerSet(type) ?? new Uint8Array();
      return one === thread ? set(kernel.parts.cpu) : withRegisters(one, set);
    }) as [Uint8Array, Uint8Array]; // one of each type
    return [note(Note.Status, status(one, info.signal, sets[0], little)), note(Note.Floats, sets[1])];
  };
  const [first = new Uint8Array(), floats = new Uint8Array()] = ofThread(thread);
  return [
    first,
    note(Note.Process, processInfo(thread, little)),
    note(Note.SignalInfo, kernel.abi.encodeSignalInfo(info)),
    note(Note.Auxiliary, owner.program.auxiliaryVector),
    note(Note.Files, mappedFiles(thread, little)),
    floats,
    ...[...owner.threads].filter((other) => other !== thread).flatMap(ofThread),
  ];
}

/** struct elf_prstatus of a 32-bit ABI. */
function status(thread: Thread, signal: number, registers: Uint8Array, little: boolean): Uint8Array {
  const { owner, mask, tid } = thread;
  const timesAt = 40;
  const registersAt = timesAt + 4 * 8;
  const bytes = new Uint8Array(registersAt + registers.length + 4);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, signal, little);
  view.setInt16(12, signal, little);
  view.setUint32(20, Number(mask & 0xffffffffn), little);
  [tid, owner.parentPid, owner.group, owner.session].forEach((id, i) => view.setInt32(24 + 4 * i, id, little));
  view.setUint32(timesAt, Math.floor(thread.cpuNs / 1e9), little);
  view.setUint32(timesAt + 4, Math.floor((thread.cpuNs % 1e9) / 1e3), little);
  bytes.set(registers, registersAt);
  view.setInt32(registersAt + registers.length, 1, little); // the floating-point registers are valid
  return bytes;
}

/** struct elf_prpsinfo of a 32-bit ABI with 32-bit user ids. */
function processInfo({ owner }: Thread, little: boolean): Uint8Array {
  const bytes = new Uint8Array(128);
  const view = new DataView(bytes.buffer);
  const { credentials, pid, parentPid, group, session, niceness, name, program } = owner;
  bytes[1] = 'R'.charCodeAt(0);
  view.setInt8(3, niceness);
  [credentials.uid, credentials.gid, pid, parentPid, group, session].forEach((id, i) =>
    view.setUint32(8 + 4 * i, id, little),
  );
  bytes.set(Buffer.from(name, 'latin1').subarray(0, 15), 32);
  const line = concatenate(program.argv.flatMap((argument) => [argument, Uint8Array.of(0x20)]));
  bytes.set(line.subarray(0, Math.min(79, Math.max(0, line.length - 1))), 48);
  return bytes;
}

/** NT_FILE: which addresses are which files, offsets in pages. */
function mappedFiles({ owner }: Thread, little: boolean): Uint8Array {
  const files = owner.space.map.all.flatMap(({ start, end, source, sourcePage }) =>
    source?.file ? [{ range: [start, end, sourcePage], path: source.file.path }] : [],
  );
  const words = [files.length, PAGE, ...files.flatMap(({ range }) => range)];
  const view = new DataView(new ArrayBuffer(4 * words.length));
  words.forEach((word, i) => view.setUint32(4 * i, word, little));
  const names = files.map(({ path }) => new Uint8Array(Buffer.from(`${path}\0`, 'latin1')));
  return concatenate([new Uint8Array(view.buffer), ...names]);
}
