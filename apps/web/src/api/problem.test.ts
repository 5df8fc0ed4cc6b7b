import { describe, expect, it } from '@jest/globals';
import { errorsElsewhere, errorsOfField, parseProblem } from './problem.js';

const at = (field: string) => ({ field, message: 'wrong', mend: 'mend it' });

describe('parseProblem', () => {
  it('takes problem+json as it is', () => {
    const problem = parseProblem(422, 'Unprocessable', JSON.stringify({ title: 'Invalid job', errors: [at('cpu')] }));
    expect(problem).toMatchObject({ title: 'Invalid job', status: 422, errors: [at('cpu')] });
  });

  it('makes do with the status line when something else answered', () => {
    expect(parseProblem(502, 'Bad Gateway', '<html>')).toMatchObject({ title: 'Bad Gateway', status: 502, errors: [] });
  });
});

describe('field errors', () => {
  const errors = [at('steps[1].expect'), at('steps[10].send'), at('memory'), at('bogus')];

  it('belong to the field and to what contains it, not to a field with the same beginning', () => {
    expect(errorsOfField(errors, 'steps')).toHaveLength(2);
    expect(errorsOfField(errors, 'steps[1]')).toEqual([at('steps[1].expect')]);
    expect(errorsOfField(errors, 'mem')).toEqual([]);
  });

  it('of fields the form does not show are left for its head', () => {
    expect(errorsElsewhere(errors, ['steps', 'memory'])).toEqual([at('bogus')]);
  });
});
