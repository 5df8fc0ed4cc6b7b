import type { InlineConfig } from 'vite';

export declare function bundleOptions(bundle: {
  readonly base: string;
  readonly folder: URL;
  readonly entries: Readonly<Record<string, string>>;
  readonly format?: 'es' | 'cjs';
  readonly parts?: readonly { readonly name: string; readonly test: RegExp }[];
}): InlineConfig;
