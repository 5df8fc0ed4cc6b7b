import { z } from 'zod';
import { jobFileSchema, PROCESS_BOARD } from './job-spec.js';
import { BOARD_ONLY, PROCESS_ONLY } from './process-check.js';

/** The schema's name: a lab has no address that is the same everywhere. */
export const JOB_SCHEMA_ID = 'urn:bootlab:job';

type JsonSchema = z.core.JSONSchema.JSONSchema;

/**
 * The JSON Schema (draft 2020-12) of job files, for editors and other people's tools: from the schema that validates. It
 * takes every job that a lab takes, and refuses what is wrong by itself; what a lab alone knows, such as its boards and
 * images, it cannot say.
 */
export function jobFileJsonSchema(): object {
  const { $defs = {}, properties = {}, ...job } = z.toJSONSchema(jobFileSchema, { io: 'input' });
  const { variables, matrix, ...fields } = properties;
  return {
    $id: JOB_SCHEMA_ID,
    ...job,
    properties: { ...mapValues(fields, withReferences), variables, matrix },
    allOf: KINDS,
    $defs: mapValues($defs, withReferences),
  };
}

const mapValues = <T, U>(record: Readonly<Record<string, T>>, map: (value: T) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));

/** Texts with a variable in them, and texts that are nothing else, which take its type. */
const REFERENCE = String.raw`\$\{\{[^{}]{0,100}\}\}`;
const IN_TEXT: JsonSchema = { type: 'string', pattern: REFERENCE };
const WHOLE_TEXT: JsonSchema = { type: 'string', pattern: `^${REFERENCE}$` };

/** The schema of values in which variables may stand for whatever is no text anyway. */
function withReferences(schema: z.core.JSONSchema._JSONSchema): z.core.JSONSchema._JSONSchema {
  if (typeof schema === 'boolean' || schema.$ref !== undefined) return schema;
  const { description, ...rest } = schema;
  const or = (...choices: JsonSchema[]): JsonSchema => ({
    ...(description !== undefined && { description }),
    anyOf: choices,
  });
  switch (schema.type) {
    case 'object':
      return {
        ...schema,
        ...(schema.properties && { properties: mapValues(schema.properties, withReferences) }),
        ...(schema.additionalProperties !== undefined && {
          additionalProperties: withReferences(schema.additionalProperties),
        }),
      };
    case 'array':
      return { ...schema, ...(isSchema(schema.items) && { items: withReferences(schema.items) }) };
    case 'string':
      return (schema.enum ?? schema.pattern ?? schema.const) ? or(rest, IN_TEXT) : schema;
    case undefined:
      return schema.anyOf ? or(...schema.anyOf.filter(isSchema), WHOLE_TEXT) : schema;
    default:
      return or(rest, WHOLE_TEXT);
  }
}

const isSchema = (schema: unknown): schema is JsonSchema => typeof schema === 'object' && !Array.isArray(schema);

const required = (key: string): JsonSchema => ({ required: [key] });
const inMatrix = (key: string): JsonSchema => ({ required: ['matrix'], properties: { matrix: required(key) } });
const inImages = (key: string): JsonSchema => ({ required: ['images'], properties: { images: required(key) } });

/** Jobs of the one and of the other kind; where the kind stands in a variable, there is nothing to be said. */
const KINDS: JsonSchema[] = [
  {
    if: { properties: { kind: { const: 'board' } } },
    then: {
      allOf: [
        { anyOf: [required('board'), inMatrix('board')] },
        { anyOf: ['kernel', 'firmware'].flatMap((image) => [inImages(image), inMatrix(image)]) },
      ],
      not: { anyOf: PROCESS_ONLY.map(required) },
      properties: { artifacts: { items: { not: required('path') } } },
    },
  },
  {
    if: { required: ['kind'], properties: { kind: { const: 'process' } } },
    then: {
      allOf: [required('program'), { anyOf: [required('arch'), inMatrix('arch')] }],
      not: { anyOf: [...BOARD_ONLY.map(required), { required: ['stdin', 'stdin_text'] }] },
      properties: {
        board: { anyOf: [{ const: PROCESS_BOARD }, IN_TEXT] },
        images: { maxProperties: 0 },
        results: { not: required('fail_on') },
        artifacts: { items: required('path') },
      },
    },
  },
];
