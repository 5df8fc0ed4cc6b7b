// The last step of `npm run build`: prepares `bootlab exec` and `bootlab boot`, see prepared.ts and
// docs/decisions/0020-start-of-exec.md.
import { writeFileSync } from 'node:fs';
import { ACCELS, boardCatalogue, createMachine, selfTestFirmware } from '@bootlab/emulator';
import type { InterpreterStore } from '@bootlab/emulator/accel';
import { cacheFolder, InterpreterFiles, optimizedMachineCodeOf } from '@bootlab/emulator/threads';
import { ARCHITECTURES, prepareInterpreter } from '@bootlab/emulator/user';
import { build } from 'vite';
import { bundleOptions } from '../../../../scripts/bundle-options.mjs';
import { currentBuild, EMULATOR_BUILD, INTERPRETERS, PREPARED } from './prepared.js';

const entries = { exec: '../exec/command-line.js', boot: '../boot/command-line.js' };
await build(bundleOptions({ base: import.meta.url, folder: PREPARED, entries }));

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
