// How programs are bundled that start often: the last step of the builds of apps/cli and apps/worker.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Modules of Node that load many others. CommonJS bundles load them when one of their functions is called. */
const LOADED_LATE = new Set(['node:child_process', 'node:crypto']);
const LATE = '\0late:';

/**
 * Options of Vite's `build` for a few files with everything that the entries load. Bundles of ES modules come with the thread that
 * translates, which is started by name, from the folder of the module that starts it.
 * @param {{ base: string, folder: URL, entries: Readonly<Record<string, string>>, format?: 'es' | 'cjs' }} bundle
 * `base`: `import.meta.url` of a built module; `folder`: where the bundle goes, which is emptied; `entries`: modules by name,
 * relative to `base`; `format`: of what is made, ES modules by default
 * @returns {import('vite').InlineConfig}
 */
export function bundleOptions({ base, folder, entries, format = 'es' }) {
  const threads = import.meta.resolve('@bootlab/emulator/threads');
  const modules = Object.entries(entries).map(([name, module]) => [name, fileURLToPath(new URL(module, base))]);
  const thread = { 'translation-thread-main': fileURLToPath(new URL('translation-thread-main.js', threads)) };
  const extension = format === 'es' ? 'js' : 'cjs';
  return {
    configFile: false,
    logLevel: 'warn',
    root: fileURLToPath(new URL('.', base)),
    ssr: { noExternal: true },
    plugins: format === 'cjs' ? [lateBuiltins] : [],
    build: {
      ssr: true,
      outDir: fileURLToPath(folder),
      emptyOutDir: true,
      copyPublicDir: false,
      rolldownOptions: {
        input: { ...Object.fromEntries(modules), ...(format === 'es' && thread) },
        output: {
          format,
          entryFileNames: `[name].${extension}`,
          chunkFileNames: `[name].${extension}`,
          // V8 keeps the text of what it runs: neither comments, nor two bytes a character. Names stay, for stack traces.
          minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
          plugins: [{ name: 'ascii', generateBundle: (_, files) => Object.values(files).forEach(escapeOthers) }],
        },
      },
    },
  };
}

/**
 * Writes characters beyond ASCII as escapes: without comments they stand in strings and regular expressions only.
 * @param {import('vite').Rolldown.OutputAsset | import('vite').Rolldown.OutputChunk} file
 */
function escapeOthers(file) {
  if (file.type === 'chunk')
    file.code = file.code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** @type {import('vite').Plugin} */
const lateBuiltins = {
  name: 'late-builtins',
  enforce: 'pre',
  resolveId(id, importer) {
    if (!LOADED_LATE.has(id)) return undefined;
    return importer?.startsWith(LATE) ? { id, external: true } : `${LATE}${id}`;
  },
  load(id) {
    if (!id.startsWith(LATE)) return undefined;
    const name = id.slice(LATE.length);
    const members = Object.entries(Object.getOwnPropertyDescriptors(createRequire(import.meta.url)(name)));
    return members
      .filter(([, { value }]) => typeof value === 'function')
      .map(([member]) => `export const ${member} = (...args) => require('${name}').${member}(...args);`)
      .join('\n');
  },
};
