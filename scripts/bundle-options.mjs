// How programs are bundled that start often: the last step of the builds of apps/cli and apps/worker.
import { fileURLToPath } from 'node:url';
import { asScript, lateBuiltins, loadPartsLate, RUNTIME, withRuntime } from './late-loading.mjs';

/**
 * Options of Vite's `build` for a few files with everything that the entries load. Bundles of ES modules come with the thread that
 * translates, which is started by name, from the folder of the module that starts it.
 * @param {{ base: string, folder: URL, entries: Readonly<Record<string, string>>, format?: 'es' | 'cjs',
 * parts?: readonly { name: string, test: RegExp }[] }} bundle
 * `base`: `import.meta.url` of a built module; `folder`: where the bundle goes, beside what there is; `entries`: modules by name,
 * relative to `base`; `format`: of what is made, ES modules by default; `parts`: modules, by their paths, for files of
 * their own, which a CommonJS bundle loads when it first uses something of them
 * @returns {import('vite').InlineConfig}
 */
export function bundleOptions({ base, folder, entries, format = 'es', parts = [] }) {
  const threads = import.meta.resolve('@bootlab/emulator/threads');
  const modules = Object.entries(entries).map(([name, module]) => [name, fileURLToPath(new URL(module, base))]);
  const thread = { 'translation-thread-main': fileURLToPath(new URL('translation-thread-main.js', threads)) };
  const extension = format === 'es' ? 'js' : 'cjs';
  /** @param {import('vite').Rolldown.OutputBundle} bundle */
  const finish = (bundle) => {
    const runtime = bundle[RUNTIME];
    delete bundle[RUNTIME];
    for (const file of Object.values(bundle)) {
      if (file.type !== 'chunk') continue;
      file.code = inAscii(file.code);
      if (format !== 'cjs') continue;
      const code = runtime?.type === 'chunk' ? withRuntime(file.code, runtime.code) : file.code;
      file.code = asScript(file.isEntry ? loadPartsLate(code) : code);
    }
  };
  return {
    configFile: false,
    logLevel: 'warn',
    root: fileURLToPath(new URL('.', base)),
    ssr: { noExternal: true },
    plugins: [lateBuiltins(format)],
    build: {
      ssr: true,
      outDir: fileURLToPath(folder),
      emptyOutDir: false,
      copyPublicDir: false,
      rolldownOptions: {
        input: { ...Object.fromEntries(modules), ...(format === 'es' && thread) },
        output: {
          format,
          entryFileNames: `[name].${extension}`,
          chunkFileNames: `[name].${extension}`,
          // V8 keeps the text of what it runs: neither comments, nor two bytes a character. Names stay, for stack traces.
          minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
          ...(parts.length > 0 && { codeSplitting: { includeDependenciesRecursively: false, groups: [...parts] } }),
          plugins: [{ name: 'finish', generateBundle: (_, bundle) => finish(bundle) }],
        },
      },
    },
  };
}

/**
 * Characters beyond ASCII as escapes: without comments they stand in strings and regular expressions only.
 * @param {string} code
 */
const inAscii = (code) =>
  code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
