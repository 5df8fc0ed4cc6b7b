/**
 * Environment of a process that runs boards, for glibc (mallopt(3)): compiling translations leaves free memory in one heap
 * for each of V8's threads, 60 MB of a process; with two heaps and fixed thresholds the C library returns it to the system.
 * Only a new process can be told so. The Dockerfile has to repeat these.
 */
export const LEAN_MALLOC = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_TRIM_THRESHOLD_: '131072',
  MALLOC_MMAP_THRESHOLD_: '131072',
};
