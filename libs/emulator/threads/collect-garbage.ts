/**
 * Two ways to give memory back at a chosen time. V8 does so by itself only when a program goes on allocating: a board that idles
 * does not, and of the guest memory of boards that have ended V8 counts nothing, as other threads may share it.
 *
 * {@link shrinkHeap} is for a board that begins to wait: it drops whatever can be made again, of code that was not called for a while,
 * too. {@link collectGarbage} is for the time between two jobs: the next one needs the same code again, and what the last one held must
 * go whole, which a collection that is forced while it is on the stack misses.
 */
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { measureMemory, runInNewContext } from 'node:vm';

type Collect = (options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void;

/**
 * Gives back what this thread's JavaScript heap can do without: garbage, room for new objects, code that was not called for a
 * while. Takes up to 100 ms.
 */
export function shrinkHeap(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('globalThis.gc') as Collect | undefined;
  setFlagsFromString('--no-expose-gc');
  collect?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

/**
 * Gives back what nothing refers to in this thread, soon after the current task. To be asked how much memory is in use makes V8 collect:
 * without flags, and at no greater cost than a forced collection.
 * @returns bytes in use after it, on the heap and hanging on it; of the latter, V8 takes stock of what went only when it collects again
 */
export async function collectGarbage(): Promise<number> {
  await quietly(() => measureMemory({ mode: 'summary', execution: 'eager' }));
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
  return heap + external;
}

/** Calls what Node warns of as experimental, which it does once in each thread: no log needs to say so of every one. */
function quietly<T>(call: () => T): T {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return call();
  } finally {
    process.emitWarning = emitWarning;
  }
}
