// The last step of `npm run build`: prepares `bootlab exec` and `bootlab boot`, see prepared.ts and
// docs/decisions/0020-start-of-exec.md.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ACCELS, boardCatalogue, createMachine, selfTestFirmware } from '@bootlab/emulator';
import type { InterpreterStore } from '@bootlab/emulator/accel';
import { cacheFolder, InterpreterFiles, optimizedMachineCodeOf } from '@bootlab/emulator/threads';
import { ARCHITECTURES, prepareInterpreter } from '@bootlab/emulator/user';
import { build } from 'vite';
import { currentBuild, EMULATOR_BUILD, INTERPRETERS, PREPARED } from './prepared.js';

const path = (relative: string, base: string | URL): string => fileURLToPath(new URL(relative, base));

await build({
  configFile: false,
  logLevel: 'warn',
  root: path('.', import.meta.url),
  ssr: { noExternal: true },
  build: {
    ssr: true,
    outDir: fileURLToPath(PREPARED),
    emptyOutDir: true,
    copyPublicDir: false,
    rolldownOptions: {
      input: {
        exec: path('../exec/command-line.js', import.meta.url),
        boot: path('../boot/command-line.js', import.meta.url),
        // Started by name, from the folder of the module that starts it.
        'translation-thread-main': path('translation-thread-main.js', import.meta.resolve('@bootlab/emulator/threads')),
      },
      output: { entryFileNames: '[name].js', chunkFileNames: '[name].js' },
    },
  },
});

const folder = cacheFolder(INTERPRETERS, { build: EMULATOR_BUILD, public: true });
if (!folder) throw new Error('the emulator is not built');
const files = new InterpreterFiles(folder);
const interpreters: InterpreterStore = {
  find: () => undefined,
  ran(key, interpreter) {
    optimizedMachineCodeOf(interpreter); // what V8 has optimized is kept
    files.ran(key, interpreter);
  },
};

for (const arch of ARCHITECTURES) for (const accel of ACCELS) await prepareInterpreter({ arch, accel }, interpreters);

// Boards as they come: those with more memory or another CPU generate theirs.
for (const { id: board, byteOrders } of boardCatalogue())
  for (const byteOrder of byteOrders)
    for (const accel of ACCELS) {
      const firmware = selfTestFirmware(board, byteOrder);
      (await createMachine({ board, byteOrder, firmware }, { accel, interpreters })).close();
    }

writeFileSync(new URL('build', PREPARED), currentBuild());
