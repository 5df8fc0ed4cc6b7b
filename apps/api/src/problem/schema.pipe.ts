import { Injectable, StandardSchemaValidationPipe } from '@nestjs/common';
import { fieldErrorsOf } from '@bootlab/lab';
import type { z } from 'zod';
import { invalidFields } from './problem.js';

/** Validates what a route declares with `{ schema }`, and answers with the field errors of all our schemas. */
@Injectable()
export class SchemaPipe extends StandardSchemaValidationPipe {
  constructor() {
    super({
      // All schemas of the lab are zod's, so the issues are zod's too.
      exceptionFactory: (issues) => invalidFields(fieldErrorsOf({ issues: issues as readonly z.core.$ZodIssue[] })),
    });
  }
}
