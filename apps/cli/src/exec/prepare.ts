// The last step of `npm run build`: prepares `bootlab exec`, see prepared.ts and docs/decisions/0020-start-of-exec.md.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { InterpreterStore } from '@bootlab/emulator/user';
import { ARCHITECTURES, prepareInterpreter } from '@bootlab/emulator/user';
import { build } from 'vite';
import { currentBuild, PREPARED } from './prepared.js';

const path = (relative: string, base: string | URL): string => fileURLToPath(new URL(relative, base));
const write = (name: string, content: Uint8Array | string): void => writeFileSync(new URL(name, PREPARED), content);

await build({
  configFile: false,
  logLevel: 'warn',
  root: path('.', import.meta.url),
  // The lab is large, and `exec` seldom needs it.
  ssr: { noExternal: true, external: ['@bootlab/lab'] },
  build: {
    ssr: true,
    outDir: fileURLToPath(PREPARED),
    emptyOutDir: true,
    copyPublicDir: false,
    rolldownOptions: {
      input: {
        'command-line': path('command-line.js', import.meta.url),
        // Started by name, from the folder of the module that starts it.
        'translation-thread-main': path('translation-thread-main.js', import.meta.resolve('@bootlab/emulator/threads')),
      },
      output: { entryFileNames: '[name].js', chunkFileNames: '[name].js' },
    },
  },
});

const files: Record<string, string> = {};
for (const arch of ARCHITECTURES)
  for (const accel of ['jit', 'interp'] as const) {
    const file = `${arch}-${accel}.wasm`;
    const interpreters: InterpreterStore = {
      find: () => undefined,
      generated(key, module) {
        files[key] = file;
        write(file, module);
      },
    };
    await prepareInterpreter({ arch, accel }, interpreters);
  }
write('interpreters.json', JSON.stringify(files));
write('build', currentBuild());
