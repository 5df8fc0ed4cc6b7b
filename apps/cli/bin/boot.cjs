// What `launch.mjs` runs in a process of its own for `bootlab boot`, where that is prepared. Of Node's two systems of modules it needs the
// older one alone: a board that idles for hours takes 3 MiB less.
'use strict';
const { join } = require('node:path');
const { keepCompiledCode } = require('./compile-cache.cjs');

keepCompiledCode();
const folder = join(__dirname, '..', 'dist', 'prepared', '/');
const build = { ...require(`${folder}build.json`), folder };
const { runBootCommandLine } = require(`${folder}boot/boot.cjs`);
const { stdin, stdout, stderr, env } = process;
const host = { stdin, stdout, stderr, signals: process };
runBootCommandLine(process.argv.slice(2), { version: build.version, build, host, env }).then(
  (/** @type {number} */ status) => {
    process.exitCode = status;
  },
);
