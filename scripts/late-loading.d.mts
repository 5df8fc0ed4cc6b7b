import type { Plugin } from 'vite';

export declare function lateBuiltins(format: 'es' | 'cjs'): Plugin;
export declare function asScript(code: string): string;
export declare function loadPartsLate(code: string): string;
export declare const RUNTIME: string;
export declare function withRuntime(code: string, runtime: string): string;
