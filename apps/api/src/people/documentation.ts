import { applyDecorators } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiCookieAuth, ApiDefaultResponse, ApiHeader, ApiTags } from '@nestjs/swagger';
import { problemSchema } from '@bootlab/lab';
import type { z } from 'zod';
import { PROJECT_HEADER } from '../auth/authenticator.js';
import { openApiSchema } from '../openapi.js';

/** What the description of the API says about every route of a controller. */
export const ApiController = (tag: string) =>
  applyDecorators(
    ApiTags(tag),
    ApiBearerAuth(),
    ApiCookieAuth(),
    ApiDefaultResponse({ standardSchema: problemSchema, description: 'Any error, as application/problem+json' }),
  );

/** For routes about one project: how those choose it who have several. */
export const ApiProject = () =>
  ApiHeader({ name: PROJECT_HEADER, required: false, description: 'Name or id, for those who have several projects' });

export const ApiJsonBody = (schema: z.ZodType) => ApiBody({ schema: openApiSchema(schema, 'input') });
