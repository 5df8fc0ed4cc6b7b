// What `npm run build` prepared for commands that start often, see docs/decisions/0020-start-of-exec.md. Node's modules are asked for
// in a way that loads nothing else; Nodes older than 20.16 and 22.3 do not have it.
/** @type {any} */
const builtin = process.getBuiltinModule ?? (await import('node:module')).createRequire(import.meta.url);
/** @type {typeof import('node:fs')} */
const fs = builtin('node:fs');
/** @type {typeof import('node:path')} */
const { dirname } = builtin('node:path');
/** @type {typeof import('node:url')} */
const { fileURLToPath } = builtin('node:url');
/** @type {typeof import('node:module').createRequire} */
const createRequire = (from) => builtin('node:module').createRequire(from);

/** Where `prepare.js` writes; `build.json` comes last and says what the rest was made from. */
export const PREPARED = new URL('../dist/prepared/', import.meta.url);

/** What {@link readCompiled} gave when that was. */
export const COMPILED = new URL('compiled', PREPARED);

/** Who understands the code that V8 compiles in this process. */
export const RUNTIME = `${process.version} ${process.arch}`;

/**
 * Undefined where nothing was prepared, or something was compiled again since.
 * @returns {import('./prepared.mjs').PreparedBuild | undefined}
 */
export function preparedBuild() {
  try {
    const build = JSON.parse(fs.readFileSync(new URL('build.json', PREPARED), 'utf8'));
    return isCurrent(build) ? { ...build, folder: fileURLToPath(PREPARED) } : undefined;
  } catch {
    return undefined; // there is none
  }
}

/** @param {import('./prepared.mjs').PreparedBuild} build */
function isCurrent({ compiled }) {
  const now = compiled.map(({ path }) => describeCompiled(path));
  if (now.some(({ size }, i) => size !== compiled[i]?.size)) return false;
  // Archives keep whole seconds, copies have times of their own.
  const isUntouched = now.every(({ second }, i) => second === compiled[i]?.second);
  return isUntouched || readCompiled(compiled).equals(fs.readFileSync(COMPILED));
}

/**
 * @param {string} path
 * @returns {import('./prepared.mjs').CompiledFile}
 */
export function describeCompiled(path) {
  const { size, mtimeMs } = fs.statSync(new URL(path, PREPARED));
  return { path, size, second: Math.floor(mtimeMs / 1000) };
}

/** @param {readonly import('./prepared.mjs').CompiledFile[]} files @returns {Buffer} one after the other */
export const readCompiled = (files) => Buffer.concat(files.map(({ path }) => fs.readFileSync(new URL(path, PREPARED))));

/** @param {string} name @param {string} file @returns {string} */
const pathOf = (name, file) => fileURLToPath(new URL(`${name}/${file}`, PREPARED));

/**
 * Runs a command's bundle as any module.
 * @param {string} name
 * @returns {any} what it exports
 */
export const requireBundle = (name) => createRequire(import.meta.url)(pathOf(name, `${name}.cjs`));

/**
 * Runs a command's bundle with what V8 compiled of it at build time.
 * @param {string} name
 * @returns {import('./prepared.mjs').RunningBundle<any>}
 */
export function runBundle(name) {
  const { Script } = builtin('node:vm');
  /** @type {Map<string, { readonly script: import('node:vm').Script, readonly module: { exports: any } }>} */
  const files = new Map();
  const load = (/** @type {string} */ file) => {
    const there = files.get(file);
    if (there) return there.module.exports;
    const filename = pathOf(name, file);
    // It is ASCII, which is read faster so. As a script it is the function that `bundleOptions` made of the module.
    const script = new Script(fs.readFileSync(filename, 'latin1'), { filename, cachedData: codeOf(filename) });
    const module = { exports: {}, filename, loaded: true };
    files.set(file, { script, module });
    script.runInThisContext()(module.exports, require, module, filename, dirname(filename));
    return module.exports;
  };
  const require = (/** @type {string} */ id) => (id.startsWith('./') ? load(id.slice(2)) : builtin(id));
  const main = `${name}.cjs`;
  const exports = load(main);
  return {
    exports,
    takesCode: files.get(main)?.script.cachedDataRejected === false,
    get parts() {
      return new Set([...files.keys()].filter((file) => file !== main));
    },
    keepCode() {
      for (const [file, { script }] of files)
        fs.writeFileSync(codePathOf(pathOf(name, file)), script.createCachedData());
    },
  };
}

/** @param {string} filename of a bundle's file */
const codePathOf = (filename) => filename.replace(/cjs$/, 'code');

/** @param {string} filename */
function codeOf(filename) {
  try {
    return fs.readFileSync(codePathOf(filename));
  } catch {
    return undefined; // the build is about to write it, or nobody has needed the file then
  }
}
