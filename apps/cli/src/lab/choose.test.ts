import { describe, expect, it } from '@jest/globals';
import { chosen } from './choose.js';

const items = [
  { id: '11aa-1', name: 'ci' },
  { id: '11aa-2', name: 'ci' },
  { id: '22bb-1', name: 'dashboard' },
  { id: '33cc-1', name: '22bb' },
];
const of = (reference: string, all = items) =>
  chosen(all, reference, 'token', { id: ({ id }) => id, names: ({ name }) => [name] }).id;

describe('what somebody means', () => {
  it.each([
    ['22bb-1', '22bb-1'],
    ['dashboard', '22bb-1'],
    ['33cc', '33cc-1'],
    ['22bb', '33cc-1'], // a name goes before the beginning of an id
  ])('%s is %s', (reference, id) => {
    expect(of(reference)).toBe(id);
  });

  it('is said to be nothing, with what there is', () => {
    expect(() => of('cd')).toThrow('there is no token "cd". There are: ci, ci, dashboard, 22bb.');
    expect(() => of('x', [])).toThrow('There are: none.');
    expect(() => of('33c')).toThrow('there is no token "33c"'); // too short for the beginning of an id
  });

  it('is said to be several, with their ids', () => {
    expect(() => of('ci')).toThrow('"ci" is more than one token. Name it by its id: 11aa-1, 11aa-2.');
    expect(() => of('11aa')).toThrow('more than one token');
  });
});
