import type { InlineConfig } from 'vite';

export declare function bundleOptions(bundle: {
  readonly base: string;
  readonly folder: URL;
  readonly entries: Readonly<Record<string, string>>;
  readonly format?: 'es' | 'cjs';
}): InlineConfig;
