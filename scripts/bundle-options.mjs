// How programs are bundled that start often: the last step of the builds of apps/cli and apps/worker.
import { fileURLToPath } from 'node:url';

/**
 * Options of Vite's `build` for a few files with everything that the entries load, and the thread that translates, which is
 * started by name, from the folder of the module that starts it.
 * @param {{ base: string, folder: URL, entries: Readonly<Record<string, string>> }} bundle `base`: `import.meta.url` of a built
 * module; `folder`: where the bundle goes, which is emptied; `entries`: modules by name, relative to `base`
 * @returns {import('vite').InlineConfig}
 */
export function bundleOptions({ base, folder, entries }) {
  const threads = import.meta.resolve('@bootlab/emulator/threads');
  const modules = Object.entries(entries).map(([name, module]) => [name, fileURLToPath(new URL(module, base))]);
  return {
    configFile: false,
    logLevel: 'warn',
    root: fileURLToPath(new URL('.', base)),
    ssr: { noExternal: true },
    build: {
      ssr: true,
      outDir: fileURLToPath(folder),
      emptyOutDir: true,
      copyPublicDir: false,
      rolldownOptions: {
        input: {
          ...Object.fromEntries(modules),
          'translation-thread-main': fileURLToPath(new URL('translation-thread-main.js', threads)),
        },
        output: {
          entryFileNames: '[name].js',
          chunkFileNames: '[name].js',
          // V8 keeps the text of what it runs: neither comments, nor two bytes a character. Names stay, for stack traces.
          minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
          plugins: [{ name: 'latin-1', generateBundle: (_, files) => Object.values(files).forEach(escapeOthers) }],
        },
      },
    },
  };
}

/**
 * Writes characters beyond Latin-1 as escapes: without comments they stand in strings and regular expressions only.
 * @param {import('vite').Rolldown.OutputAsset | import('vite').Rolldown.OutputChunk} file
 */
function escapeOthers(file) {
  if (file.type === 'chunk')
    file.code = file.code.replace(/[^\0-\xff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
