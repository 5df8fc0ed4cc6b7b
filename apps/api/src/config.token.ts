export type { ApiConfig, LabConfig } from '@bootlab/lab/server';

/** Injection token of the lab's configuration, which is plain data. */
export const CONFIG = Symbol('LabConfig');
