import { expect, it } from '@jest/globals';
import { diagnosticsOf } from './yaml-editor.js';

const error = { field: 'steps[0].expect', message: 'Wrong', mend: 'Mend it.' };

it('marks an error from where it stands to the end of its line', () => {
  const text = 'board: malta\nsteps:\n  - expect: "["  \n';
  const [found] = diagnosticsOf(text, [{ ...error, line: 3, column: 5 }]);
  expect(text.slice(found?.from, found?.to)).toBe('expect: "["');
  expect(found?.message).toBe('steps[0].expect: Wrong. Mend it.');
});

it('marks the first line when it does not know where, and never beyond the text', () => {
  expect(diagnosticsOf('a: 1\nb', [{ ...error, field: 'body' }])).toMatchObject([
    { from: 0, to: 4, message: 'Wrong. Mend it.' },
  ]);
  const [late] = diagnosticsOf('a', [{ ...error, line: 9, column: 80 }]);
  expect([late?.from, late?.to]).toEqual([1, 1]);
});
