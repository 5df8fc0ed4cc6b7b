import { fstatSync } from 'node:fs';

/** Linux's device number of memory: /dev/null and the like. */
const MEMORY_MAJOR = 1;

/**
 * This process's standard streams. Node needs a millisecond or more to make one, and most programs none: what they write goes
 * to descriptors. So each is made when something is asked of it that only Node can tell.
 */
export const standardStreams = (): Pick<NodeJS.Process, 'stdin' | 'stdout' | 'stderr'> => ({
  stdin: late(0, () => process.stdin),
  stdout: late(1, () => process.stdout),
  stderr: late(2, () => process.stderr),
});

function late<T extends object>(fd: number, make: () => T): T {
  // What is asked of the target, the stream answers.
  return new Proxy({} as T, {
    get(_, name) {
      if (name === 'fd') return fd;
      if (name === 'isTTY' && !mayBeTerminal(fd)) return false;
      const stream = make();
      const value: unknown = Reflect.get(stream, name);
      return typeof value === 'function' ? value.bind(stream) : value;
    },
  });
}

function mayBeTerminal(fd: number): boolean {
  const stats = fstatSync(fd);
  return stats.isCharacterDevice() && !(process.platform === 'linux' && stats.rdev >>> 8 === MEMORY_MAJOR);
}
