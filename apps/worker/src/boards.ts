// boards: what runs the boards of a worker, without its queue. For benchmarks, and for tests of the whole.
export { BoardHost, type BoardEnd, type BoardEvents } from './board-host.js';
export { BoardThreads, setV8Flags, type BoardThreadsOptions } from './board-threads.js';
export type { BoardTask } from './protocol.js';
