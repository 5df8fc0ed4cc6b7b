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

/** @param {string} name @returns {URL} */
const bundleUrl = (name) => new URL(`${name}/${name}.cjs`, PREPARED);

/** @param {string} name @returns {URL} */
const codeUrl = (name) => new URL(`${name}/code-cache`, PREPARED);

/**
 * Runs a command's bundle as any module.
 * @param {string} name
 * @returns {any} what it exports
 */
export const requireBundle = (name) => createRequire(import.meta.url)(fileURLToPath(bundleUrl(name)));

/**
 * Runs a command's bundle with what V8 compiled of it at build time.
 * @param {string} name
 * @returns {{ exports: any, script: import('node:vm').Script }}
 */
export function runBundle(name) {
  const url = bundleUrl(name);
  const filename = fileURLToPath(url);
  const { Script } = builtin('node:vm');
  // It is ASCII, which is read faster so. As a script it is the function that `bundleOptions` made of the module.
  const script = new Script(fs.readFileSync(url, 'latin1'), { filename, cachedData: codeOf(name) });
  const module = { exports: {}, filename, loaded: true };
  const require = (/** @type {string} */ id) => (id.startsWith('.') ? requirePart(id, module) : builtin(id));
  script.runInThisContext()(module.exports, require, module, filename, dirname(filename));
  return { exports: module.exports, script };
}

/**
 * A part of a bundle, which asks for the bundle's first file in turn.
 * @param {string} id
 * @param {{ filename: string }} module
 */
function requirePart(id, module) {
  const require = createRequire(module.filename);
  require.cache[module.filename] ??= /** @type {any} */ (module);
  return require(id);
}

/** @param {string} name */
function codeOf(name) {
  try {
    return fs.readFileSync(codeUrl(name));
  } catch {
    return undefined; // the build is about to write it
  }
}

/**
 * Keeps what V8 has compiled of a bundle by now.
 * @param {string} name
 * @param {import('node:vm').Script} script of {@link runBundle}
 */
export const keepCodeOf = (name, script) => fs.writeFileSync(codeUrl(name), script.createCachedData());
