// How bundles put off what they may not need: Node's own modules and, in CommonJS, parts of themselves.
import { createRequire } from 'node:module';

/** Modules of Node that load many others: they are loaded when one of their functions is called. (Of `node:os`, constants are used.) */
const LOADED_LATE = new Set(['node:child_process', 'node:crypto', 'node:v8', 'node:zlib']);
const LATE = '\0late:';

/** Node makes `performance` of ten modules when it is first used. */
const TIME = 'const performance={now:()=>Number(process.hrtime.bigint())/1e6};';

/**
 * @param {'es' | 'cjs'} format of the bundle
 * @returns {import('vite').Plugin}
 */
export const lateBuiltins = (format) => ({
  name: 'late-builtins',
  enforce: 'pre',
  resolveId(id, importer) {
    if (!LOADED_LATE.has(id)) return undefined;
    return importer?.startsWith(LATE) ? { id, external: true } : `${LATE}${id}`;
  },
  load(id) {
    if (!id.startsWith(LATE)) return undefined;
    const name = id.slice(LATE.length);
    const load = format === 'cjs' ? 'require' : 'process.getBuiltinModule';
    const members = Object.entries(Object.getOwnPropertyDescriptors(createRequire(import.meta.url)(name)));
    return members
      .filter(([, { value }]) => typeof value === 'function')
      .map(([member]) => `export const ${member} = (...args) => ${load}('${name}').${member}(...args);`)
      .join('\n');
  },
});

/**
 * A CommonJS module that as a script is a function of what Node gives to modules, so that V8 can be given compiled code for it.
 * @param {string} code
 */
export function asScript(code) {
  if (/\bperformance\.(?!now\(\))/.test(code)) throw new Error('of `performance`, bundles have `now` alone');
  const given = 'exports,require,module,__filename,__dirname';
  return `(f=>this===globalThis?f:f(${given}))(function(${given}){${TIME}${code}\n})`;
}

/** What the bundler's own helpers come in where several files use them. */
export const RUNTIME = 'rolldown-runtime.cjs';

/**
 * Has a file bring the bundler's helpers itself, rather than load a file for them.
 * @param {string} code of a CommonJS module, without comments
 * @param {string} runtime that file's
 */
export const withRuntime = (code, runtime) =>
  code.replace(
    /\b(?:const|let) (\w+) ?= ?require\("\.\/rolldown-runtime\.cjs"\);/,
    (_, name) => `const ${name}=(exports=>{${runtime}\nreturn exports})({});`,
  );

/**
 * Has a bundle's first file load the others when something of them is first used, and not at its start.
 * @param {string} code of a CommonJS module, without comments
 */
export function loadPartsLate(code) {
  let late = code;
  for (const [statement, name, path] of code.matchAll(/\b(?:const|let) (\w+) ?= ?require\("(\.\/[^"]+|node:os)"\);/g)) {
    const used = new Set(Array.from(code.matchAll(new RegExp(`\\b${name}\\.(\\w+)`, 'g')), ([, member]) => member));
    const members = Array.from(used, (member) => `get ${member}(){return part().${member}}`);
    late = late.replace(statement, `const ${name}=(part=>({${members}}))(()=>require("${path}"));`);
  }
  // What is imported whole from Node is as good as the copy that stands for a module of ECMAScript, but for `default`.
  late = late.replace(/\b(node_\w+) ?= ?__toESM\(\1, ?1\);/g, (copy, name) =>
    late.includes(`${name}.default`) ? copy : '',
  );
  return late;
}
