#!/usr/bin/env node
// Makes this machine ready for the tests: installs the Debian packages they call and caches the guests they boot in
// ${BOOTLAB_CACHE:-~/.cache/bootlab}. What is there already costs nothing; what is impossible here is written down,
// with its reason, in capabilities.json, from where test/support/requirements.ts tells the tests.
import { mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { prepareGuests } from './setup/guests.mjs';
import { installPackages, missingOf, PROGRAM_CAPABILITIES } from './setup/programs.mjs';

const cache = process.env.BOOTLAB_CACHE ?? join(homedir(), '.cache', 'bootlab');
mkdirSync(cache, { recursive: true });

/** @type {Record<string, { available: true } | { available: false, reason: string }>} */
const capabilities = {};
/** @param {string} name @param {string | undefined} reason */
const record = (name, reason) => {
  capabilities[name] = reason === undefined ? { available: true } : { available: false, reason };
  if (reason !== undefined) console.warn(`setup: ${name} is not available: ${reason}`);
};

const wanted = Object.values(PROGRAM_CAPABILITIES).filter(
  ({ programs, files }) => missingOf(programs, files).length > 0,
);
const refused = wanted.length > 0 ? installPackages(wanted.flatMap(({ packages }) => packages)) : undefined;
for (const [name, { programs, files }] of Object.entries(PROGRAM_CAPABILITIES)) {
  const missing = missingOf(programs, files);
  record(
    name,
    missing.length > 0 ? `missing: ${missing.join(', ')} (${refused ?? 'its package lacks it'})` : undefined,
  );
}
for (const [name, reason] of Object.entries(prepareGuests(cache))) record(name, reason);

writeFileSync(join(cache, 'capabilities.json'), `${JSON.stringify(capabilities, null, 2)}\n`);
