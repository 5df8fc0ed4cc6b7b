import { ConfigError, Scheduler } from '../core/index.js';
import type { Architecture } from './architectures.js';
import { ABIS } from './architectures.js';
import type { ExecutableFile, FileProcess, TreeEntry } from './files/index.js';
import { createFileSystem, createProcessFiles, lookupExecutable } from './files/index.js';
import { DEFAULT_EPOCH_NS, VirtualClock } from './kernel/clock.js';
import { resolveProgram } from './kernel/script.js';
import { openProgram, ProgramError } from './loader/index.js';
import { startFailure } from './start-failure.js';

/** Stands for the content of a file that was not read: {@link checkProgram} asks for it where it needs it. */
export const UNREAD = new TextEncoder().encode('\0content that was not read\0');

export interface ProgramCheck {
  readonly arch: Architecture;
  /** Absolute guest path. */
  readonly program: string;
  /** The guest's tree. */
  readonly content: Iterable<TreeEntry>;
}

/** On whose behalf files are looked up: root, as the first process of a guest. */
const ROOT: FileProcess = {
  pid: 1,
  parentPid: 0,
  credentials: { uid: 0, gid: 0, euid: 0, egid: 0 },
  executable: '',
  argv: [],
  environment: [],
  maps: () => '',
  maxFiles: Infinity,
  umask: 0,
  setUmask: () => undefined,
  files: undefined,
};

class UnreadFile extends Error {
  constructor(readonly path: string) {
    super(path);
  }
}

/**
 * Finds out without running anything whether a program could be started: that it is there, may be executed, is whole, of the right
 * architecture, and that its interpreter is all that, too.
 * @returns the path of an {@link UNREAD} file that has to be read to know; undefined where nothing speaks against the program
 * @throws ConfigError about `program`; about `root` where the tree is impossible or lacks what the program needs
 */
export function checkProgram({ arch, program, content }: ProgramCheck): string | undefined {
  const clock = new VirtualClock(new Scheduler(), DEFAULT_EPOCH_NS);
  const system = createFileSystem({ content, clock, seed: 0 });
  try {
    const files = createProcessFiles(system);
    const open = (path: Uint8Array | string): ExecutableFile => {
      const file = lookupExecutable(files, ROOT, path);
      if (Buffer.from(file.read(0, UNREAD.length)).equals(UNREAD)) throw new UnreadFile(file.path);
      return file;
    };
    const path = new TextEncoder().encode(program);
    const { file } = resolveProgram({ path, argv: [path] }, open);
    openProgram({ abi: ABIS[arch](), program: file, openInterpreter: open });
    return undefined;
  } catch (error) {
    if (error instanceof UnreadFile) return error.path;
    if (error instanceof ProgramError && error.fault !== 'program')
      throw new ConfigError('root', `${program} ${error.message}`, error.mend);
    throw startFailure(error, program, { arch, root: undefined });
  } finally {
    system.close();
  }
}
