import { z } from 'zod';
import { imageReferenceSchema } from '../image.js';
import { RESULT_FORMATS } from '../results/formats.js';
import { artifactNameField, durationField, nameField, patternField } from './fields.js';
import { STEP_VERBS, type StepVerb } from './step-verb.js';

/** Which steps each further key belongs to. */
const MODIFIERS: Readonly<Record<string, readonly StepVerb[]>> = {
  timeout: ['run', 'test', 'expect', 'upload'],
  on_fail: ['run', 'test', 'expect', 'upload'],
  console: ['run', 'test', 'expect', 'send', 'upload'],
  exit: ['run', 'test'],
  format: ['test', 'expect'],
  pattern: ['test', 'expect'],
  to: ['upload'],
  mode: ['upload'],
};

const MAX_COMMAND_LENGTH = 16 * 1024;

export const powerActionSchema = z.enum(['off', 'on', 'cycle']);
export type PowerAction = z.infer<typeof powerActionSchema>;

const stepShape = z.strictObject({
  name: nameField().describe('What the step is called in results').optional(),
  expect: patternField().describe('Waits until the console shows this regular expression (RE2 syntax)').optional(),
  send: z.string().min(1).max(4096).describe('Text typed into the console as it is').optional(),
  run: z
    .string()
    .min(1)
    .max(MAX_COMMAND_LENGTH)
    .describe('A command for the shell on the console; its output and exit status are captured')
    .optional(),
  test: z
    .string()
    .min(1)
    .max(MAX_COMMAND_LENGTH)
    .describe('A command whose output holds test results in the given format')
    .optional(),
  wait: durationField().describe('Lets virtual time pass, for example 2s').optional(),
  reset: z.literal(true).describe('Presses the reset button').optional(),
  power: powerActionSchema.describe('off, on, or cycle: off and on again').optional(),
  screenshot: artifactNameField().describe('Stores a picture of the screen under this name').optional(),
  upload: imageReferenceSchema.describe('Copies a file into the guest, through the shell on the console').optional(),
  snapshot: z.string().max(100).describe('Reserved').optional(),
  format: z.enum(RESULT_FORMATS).describe('How the output of the test is read').optional(),
  pattern: patternField()
    .describe('With format regex: names the groups (?P<name>…) and (?P<status>…), and perhaps (?P<message>…)')
    .optional(),
  exit: z
    .union([z.number().int().min(0).max(255), z.literal('any')])
    .describe('Exit status that the command must have; default 0')
    .optional(),
  to: z
    .string()
    .max(200)
    .regex(/^\/[^\0\n]*[^\0\n/]$/, 'The path of a file in the guest begins with / and does not end with one')
    .describe('Where the uploaded file goes in the guest')
    .optional(),
  mode: z
    .string()
    .regex(/^[0-7]{3,4}$/, 'A file mode has three or four octal digits')
    .describe('Permissions of the uploaded file, for example "755"')
    .optional(),
  console: z.string().min(1).max(32).describe("Which console; default: the board's first").optional(),
  timeout: durationField().describe('Virtual time after which the step, and with it the job, times out').optional(),
  on_fail: z
    .enum(['stop', 'continue'])
    .describe('Whether the steps after a failed one still run; default: continue after test, else stop')
    .optional(),
});
export type Step = z.infer<typeof stepShape>;

export const stepSchema = stepShape
  .superRefine((step, context) => {
    const complain = (path: string[], message: string, mend: string): void =>
      context.addIssue({ code: 'custom', path, message, params: { mend } });
    const verbs = STEP_VERBS.filter((verb) => step[verb] !== undefined);
    const isCommand = verbs.length === 2 && (verbs[0] === 'run' || verbs[0] === 'test') && verbs[1] === 'expect';
    const verb = verbs[0];
    if (verb === undefined || (verbs.length > 1 && !isCommand)) {
      const found = verb === undefined ? 'nothing to do' : verbs.join(' and ');
      complain(
        [],
        `A step does one thing, this one has ${found}`,
        'Write for example {"expect": "pattern"}, {"send": "text"} or {"run": "command"}, one to a step.',
      );
      return;
    }
    if (verb === 'snapshot') {
      complain(['snapshot'], 'Snapshots in a job are reserved for a later version', 'Remove this step.');
    }
    for (const [key, owners] of Object.entries(MODIFIERS)) {
      if (step[key as keyof Step] === undefined || owners.includes(verb)) continue;
      complain([key], `${verb} has no ${key}`, `Remove it; ${key} belongs to ${owners.join(', ')}.`);
    }
    if (verb === 'test' && step.format === undefined) {
      complain(['format'], 'A test needs the format of its results', `Use one of: ${RESULT_FORMATS.join(', ')}.`);
    }
    if (verb === 'expect' && step.format === 'exit-code') {
      complain(['format'], 'Only a command has an exit status', 'Use test with a command, or another format.');
    }
    if (step.format === 'regex') checkResultPattern(step.pattern, complain);
    else if (step.pattern !== undefined && (verb === 'test' || verb === 'expect')) {
      complain(['pattern'], 'Only the format regex has a pattern', 'Remove it, or write format: regex.');
    }
    if (verb === 'upload' && step.to === undefined) {
      complain(['to'], 'An upload needs a place in the guest', 'Add for example "to": "/root/test.sh".');
    }
  })
  .meta({ id: 'Step', oneOf: STEP_VERBS.flatMap(kindOfStep), allOf: formatRules() });

function checkResultPattern(
  pattern: string | undefined,
  complain: (path: string[], message: string, mend: string) => void,
): void {
  const mend = 'Write for example "^(?P<status>PASS|FAIL): (?P<name>\\\\S+)".';
  if (pattern === undefined) complain(['pattern'], 'The format regex needs a pattern', mend);
  else if (!/\(\?P?<name>/.test(pattern) || !/\(\?P?<status>/.test(pattern)) {
    complain(['pattern'], 'The pattern names no groups "name" and "status"', mend);
  }
}

/** An object has a key, with one of these values. */
function has(key: string, ...values: string[]): object {
  return { required: [key], ...(values.length > 0 && { properties: { [key]: { enum: values } } }) };
}

/** The rules above in the words of JSON Schema, which refinements do not reach: a step is of exactly one of these kinds. */
function kindOfStep(verb: StepVerb): object[] {
  if (verb === 'snapshot') return [];
  const checksOutput = verb === 'run' || verb === 'test';
  const strangeVerbs = STEP_VERBS.filter((other) => other !== verb && !(checksOutput && other === 'expect'));
  const strangeKeys = Object.keys(MODIFIERS).filter((key) => !MODIFIERS[key]?.includes(verb));
  const needed = verb === 'test' ? ['format'] : verb === 'upload' ? ['to'] : [];
  const strange = [...strangeVerbs, ...strangeKeys].map((key) => has(key));
  if (verb === 'expect') strange.push(has('format', 'exit-code'));
  return [{ required: [verb, ...needed], not: { anyOf: strange } }];
}

/** What holds of formats and patterns in any step. A format may stand in a variable. */
function formatRules(): object[] {
  const others = RESULT_FORMATS.filter((format) => format !== 'regex');
  return [
    { anyOf: [has('pattern'), { not: has('format', 'regex') }] },
    { anyOf: [{ not: has('pattern') }, { ...has('format'), not: has('format', ...others) }] },
  ];
}
