import type { Plugin } from 'vite';

export declare const lateBuiltins: Plugin;
export declare function loadPartsLate(code: string): string;
