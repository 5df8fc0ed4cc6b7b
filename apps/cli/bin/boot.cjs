// What `launch.mjs` runs in a process of its own for `bootlab boot`, where that is prepared. Of Node's two systems of modules it needs the
// older one alone: a board that idles for hours takes 3 MiB less.
'use strict';
const { join } = require('node:path');
const { keepCompiledCode } = require('./compile-cache.cjs');

keepCompiledCode();
const folder = join(__dirname, '..', 'dist', 'prepared', '/');
const build = { ...require(`${folder}build.json`), folder };
require(`${folder}boot/boot.cjs`).bootProcess(process.argv.slice(2), { version: build.version, build });
