#!/usr/bin/env node
// Adds to package-lock.json the optional per-platform packages that the registry in use did not offer.
//
// A registry mirror may carry the native binaries of some platforms only. npm then leaves the others out of the lock
// file, and `npm ci` refuses that lock file ("Missing: @swc/core-darwin-arm64@ from lock file"). An entry with name,
// version, os and cpu is all that npm needs to skip a package on other platforms and to fetch it on its own.
// Run after `npm install` whenever `npm ci` complains so.
import { readFileSync, writeFileSync } from 'node:fs';

/** @type {Record<string, string>} */
const OS = {
  android: 'android',
  darwin: 'darwin',
  freebsd: 'freebsd',
  linux: 'linux',
  openbsd: 'openbsd',
  openharmony: 'openharmony',
  win32: 'win32',
  windows: 'win32',
};
/** @type {Record<string, string>} */
const CPU = {
  x64: 'x64',
  arm64: 'arm64',
  ia32: 'ia32',
  arm: 'arm',
  ppc64: 'ppc64',
  s390x: 's390x',
  loong64: 'loong64',
  riscv64: 'riscv64',
  wasm32: 'wasm32',
};

/** `os`, `cpu` and `libc` of a per-platform package, read from its name (`@swc/core-linux-x64-gnu`). @param {string} name */
function platformOf(name) {
  const words = name.split(/[/-]/);
  const os = words.map((w) => OS[w]).find(Boolean);
  const cpu = words.map((w) => CPU[w]).find(Boolean);
  if (!os || !cpu) return undefined;
  const libc =
    os !== 'linux' ? undefined : words.includes('musl') ? ['musl'] : words.includes('gnu') ? ['glibc'] : undefined;
  return { os: [os], cpu: [cpu], ...(libc && { libc }) };
}

const file = new URL('../package-lock.json', import.meta.url);
/** @type {{ packages: Record<string, { version?: string, optional?: boolean, optionalDependencies?: Record<string, string> }> }} */
const lock = JSON.parse(readFileSync(file, 'utf8'));
/** Where node finds `name` from the package at `from`, if anywhere. @param {string} from @param {string} name */
const resolve = (from, name) => {
  for (let at = from; ; at = at.slice(0, at.lastIndexOf('/node_modules/'))) {
    const path = `${at && `${at}/`}node_modules/${name}`;
    if (lock.packages[path]) return path;
    if (!at.includes('/node_modules/')) return lock.packages[`node_modules/${name}`] && `node_modules/${name}`;
  }
};
let added = 0;
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
    if (resolve(path, name)) continue;
    const platform = platformOf(name);
    if (!platform) {
      console.warn(
        `${path || 'package.json'}: optional dependency ${name}@${range} is absent and names no platform; left out`,
      );
      continue;
    }
    lock.packages[`node_modules/${name}`] = { version: range.replace(/^[~^]/, ''), ...platform, optional: true };
    added++;
  }
}
const { '': root = {}, ...rest } = lock.packages;
lock.packages = { '': root, ...Object.fromEntries(Object.entries(rest).sort(([a], [b]) => a.localeCompare(b, 'en'))) };
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`package-lock.json: ${added} platform packages added`);
