import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { z } from 'zod';

type OpenApiSchema = Exclude<Parameters<typeof DocumentBuilder.prototype.addGlobalParameters>[0], undefined>['schema'];

/** A zod schema in OpenAPI's words, for the places where Nest takes no zod schema itself. */
export function openApiSchema(schema: z.ZodType, io: 'input' | 'output') {
  const { $schema, ...converted } = z.toJSONSchema(schema, { target: 'openapi-3.0', io, reused: 'inline' });
  void $schema; // OpenAPI names its dialect elsewhere
  return converted as NonNullable<Exclude<OpenApiSchema, { $ref: string }>>;
}

/** Serves the OpenAPI description and its browser at /api/docs. */
export function setupOpenApi(app: NestFastifyApplication): void {
  const config = new DocumentBuilder()
    .setTitle('Bootlab')
    .setDescription(
      'Emulated boards as a service. Errors are application/problem+json and name the field and the mend. ' +
        'Consoles are live on the WebSocket /api/v1/jobs/{id}/console.',
    )
    .setVersion('1')
    .addBearerAuth()
    .addCookieAuth('bootlab')
    .build();
  SwaggerModule.setup('api/docs', app, () => SwaggerModule.createDocument(app, config), {
    jsonDocumentUrl: 'api/docs/openapi.json',
    yamlDocumentUrl: 'api/docs/openapi.yaml',
  });
}
