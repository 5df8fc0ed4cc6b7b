import type { Plugin } from 'vite';

export declare const lateBuiltins: Plugin;
export declare function asScript(code: string): string;
export declare function loadPartsLate(code: string): string;
