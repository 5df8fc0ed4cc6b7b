// The last step of `npm run build`: a board's thread in a few files. Each job starts one, and loading two hundred modules
// takes it longer than everything else before its machine runs.
import { rmSync, writeFileSync } from 'node:fs';
import { build } from 'vite';
import { bundleOptions } from '../../../scripts/bundle-options.mjs';
import { BUNDLE, currentBuild } from './board-entry.js';

const entries = { 'board-thread': 'board-thread.js' };
rmSync(BUNDLE, { recursive: true, force: true });
await build(bundleOptions({ base: import.meta.url, folder: BUNDLE, entries }));
writeFileSync(new URL('build', BUNDLE), currentBuild());
