// The last step of `npm run build`: prepares `bootlab exec` and `bootlab boot`, see docs/decisions/0020-start-of-exec.md.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cachedDataVersionTag } from 'node:v8';
import { ACCELS, boardCatalogue, createMachine, selfTestFirmware } from '@bootlab/emulator';
import type { InterpreterStore } from '@bootlab/emulator/accel';
import type { PreparedInterpreter } from '@bootlab/emulator/threads';
import {
  compiledIntrinsics,
  generatorVersion,
  INTRINSICS_FILE,
  optimizedMachineCodeOf,
} from '@bootlab/emulator/threads';
import { ARCHITECTURES, prepareInterpreter } from '@bootlab/emulator/user';
import { build } from 'vite';
import type { PreparedBuild } from '../../bin/prepared.mjs';
import { COMPILED, describeCompiled, PREPARED, readCompiled, RUNTIME } from '../../bin/prepared.mjs';
import { bundleOptions } from '../../../../scripts/bundle-options.mjs';

/** The emulator's modules with some paths, as regular expressions. */
const emulator = (...paths: string[]): RegExp => new RegExp(`emulator/dist/(${paths.join('|')})\\.js$`);

/** What is seldom needed: generating interpreters and translating, where somebody has done so before. */
const TRANSLATOR = {
  name: 'translator',
  test: emulator(
    'accel/jit/(known-code|region-compiler|region-module-writer)',
    'jit/(interp/(generate|guest-memory|translation-entry)|ir/(builder|decode-tree|fragment|verifier)|regions/(?!system-exits).*|wasm/.*)',
    'targets/mips/(builder|followers|instructions/.*)',
  ),
};

/** What `exec` seldom needs besides: describing its options where a line is not ordinary, and what few programs do. */
const PARTS = [
  TRANSLATOR,
  { name: 'command-line', test: /node_modules\/commander\/|cli\/dist\/(parse|exec\/command)\.js$/ },
  {
    name: 'seldom',
    test: emulator(
      'targets/mips/linux-abi/debug-registers',
      'user/(ipc/(?!index|registry).*|start-failure)',
      'user/files/(counters|epoll|inotify|tree-content|sockets/(address|socket)|syscalls/(inotify|socket.*))',
      'user/kernel/(core-file|error-text|strace)',
      'user/syscalls/(ipc.*|message-queues|pidfd|posix-queues|ptrace|semaphores|shared-memory)',
    ),
  },
];

const base = import.meta.url;
rmSync(PREPARED, { recursive: true, force: true });
const BOOT = new URL('boot/', PREPARED);
await build(bundleOptions({ base, folder: BOOT, entries: {} })); // the thread that translates
for (const [folder, entries, parts] of [
  [BOOT, { boot: '../boot/process.js' }, [TRANSLATOR]],
  [new URL('exec/', PREPARED), { exec: '../exec/process.js' }, PARTS],
] as const)
  await build(bundleOptions({ base, folder, entries, format: 'cjs', parts }));

const INTERPRETERS = new URL('interpreters/', PREPARED);
mkdirSync(INTERPRETERS);
const intrinsics = compiledIntrinsics();
if (intrinsics) writeFileSync(new URL(INTRINSICS_FILE, INTERPRETERS), intrinsics);
const prepared: Record<string, PreparedInterpreter> = {};
const interpreters: InterpreterStore = {
  find: () => undefined,
  ran(key, interpreter) {
    const name = `${Object.keys(prepared).length}`;
    const machineCode = optimizedMachineCodeOf(interpreter);
    const keep = (kind: string, bytes: Uint8Array): string => {
      writeFileSync(new URL(`${name}.${kind}`, INTERPRETERS), bytes, { mode: 0o644 });
      return `${name}.${kind}`;
    };
    prepared[key] = {
      wasm: keep('interpreter', interpreter.bytes),
      ...(machineCode.length > 0 && { machineCode: keep('machine-code', machineCode) }),
    };
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

const generator = generatorVersion();
if (generator === undefined) throw new Error('the emulator is not built');
const { version } = JSON.parse(readFileSync(new URL('../../package.json', base), 'utf8')) as { version: string };
const compiled = [base, '@bootlab/emulator', '@bootlab/lab'].map((from) => {
  const main = from === base ? new URL('../main.js', base) : import.meta.resolve(from);
  return describeCompiled(relative(fileURLToPath(PREPARED), fileURLToPath(new URL('.tsbuildinfo', main))));
});
writeFileSync(COMPILED, readCompiled(compiled));
const description: Omit<PreparedBuild, 'folder'> = {
  ...{ compiled, runtime: RUNTIME, version, generator, format: cachedDataVersionTag(), interpreters: prepared },
};
writeFileSync(new URL('build.json', PREPARED), JSON.stringify(description));

// What V8 compiles of the bundle when a program runs.
const { status, stderr } = spawnSync(process.execPath, [fileURLToPath(new URL('learn-code.js', base))], {
  stdio: ['ignore', 'ignore', 'pipe'],
  encoding: 'utf8',
});
if (status !== 0) throw new Error(`learn-code.js failed: ${stderr}`);
