/** What can go wrong in a Linux kernel and is recognised on its console. */
export const KERNEL_EVENT_KINDS = [
  'kernel-panic',
  'oops',
  'bug',
  'warning',
  'rcu-stall',
  'soft-lockup',
  'hard-lockup',
  'hung-task',
  'kasan',
  'ubsan',
  'lockdep',
  'oom',
] as const;
export type KernelEventKind = (typeof KERNEL_EVENT_KINDS)[number];

/** What `fail_on` takes: the kinds, and `lockup` for both of its kinds. */
export const FAIL_ON_KINDS = [...KERNEL_EVENT_KINDS, 'lockup'] as const;
export type FailOn = (typeof FAIL_ON_KINDS)[number];

/** What fails a job that does not say otherwise: whatever leaves a kernel broken or makes its memory suspect. */
export const DEFAULT_FAIL_ON: readonly FailOn[] = [
  'kernel-panic',
  'oops',
  'bug',
  'rcu-stall',
  'lockup',
  'hung-task',
  'kasan',
];

export function failOnKinds(failOn: readonly FailOn[] = DEFAULT_FAIL_ON): ReadonlySet<KernelEventKind> {
  return new Set(failOn.flatMap((kind) => (kind === 'lockup' ? (['soft-lockup', 'hard-lockup'] as const) : [kind])));
}
