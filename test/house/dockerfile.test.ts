import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { LEAN_MALLOC } from '../../apps/cli/bin/lean-malloc.mjs';

it('the image gives memory back as `npm start` does', () => {
  const dockerfile = readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8');
  const image = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
  const settings = [...image.matchAll(/^ENV (.*)$/gm)].flatMap(([, line = '']) => line.split(' '));
  const malloc = settings.filter((setting) => setting.startsWith('MALLOC_'));
  expect(malloc).toEqual(Object.entries(LEAN_MALLOC).map(([name, value]) => `${name}=${value}`));
});
