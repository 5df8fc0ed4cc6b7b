// The last step of `npm run build`: a board's thread in a few files. Each job starts one, and loading two hundred modules
// takes it longer than everything else before its machine runs.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { BUNDLE, currentBuild } from './board-entry.js';

const path = (relative: string, base: string | URL): string => fileURLToPath(new URL(relative, base));

await build({
  configFile: false,
  logLevel: 'warn',
  root: path('.', import.meta.url),
  ssr: { noExternal: true },
  build: {
    ssr: true,
    outDir: fileURLToPath(BUNDLE),
    emptyOutDir: true,
    copyPublicDir: false,
    rolldownOptions: {
      input: {
        'board-thread': path('board-thread.js', import.meta.url),
        // Started by name, from the folder of the module that starts it.
        'translation-thread-main': path('translation-thread-main.js', import.meta.resolve('@bootlab/emulator/threads')),
      },
      output: { entryFileNames: '[name].js', chunkFileNames: '[name].js' },
    },
  },
});
writeFileSync(new URL('build', BUNDLE), currentBuild());
