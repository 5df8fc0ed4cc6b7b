import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { unstorableTexts } from '@bootlab/lab';
import { invalidFields, notFound } from '../problem/problem.js';

/** Refuses texts that no database stores, in the query and the JSON body of every request. */
export function requireStorableRequests(app: NestFastifyApplication): void {
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('preHandler', (request, _reply, done) => {
      if (unstorableTexts(request.params).length > 0) throw notFound('thing whose name no database could hold');
      const values = [request.query, Buffer.isBuffer(request.body) ? undefined : request.body];
      const errors = values.flatMap((value) => (typeof value === 'object' ? unstorableTexts(value) : []));
      if (errors.length > 0) throw invalidFields(errors.map((error) => ({ ...error, field: error.field || 'body' })));
      done();
    });
}
