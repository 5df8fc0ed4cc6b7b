import { RouteConfig, type FastifyAdapter } from '@nestjs/platform-fastify';
import { errorCodes } from 'fastify';
import { DEFINITION_TYPES } from './jobs/submission.js';
import { RESULT_TYPES } from './results/result-types.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route takes its body as text. */
    readsText?: boolean;
    /** The route takes a document of test results. */
    readsResults?: boolean;
  }
}

/** Marks a route that reads its body itself, to say where in it a mistake stands. */
export const ReadsText = () => RouteConfig({ readsText: true });

/** Marks a route that takes a document of test results as text. */
export const ReadsResults = () => RouteConfig({ readsResults: true });

/** Hands job definitions and result documents to their routes as text; JSON becomes data everywhere else. */
export function registerBodyParsers(adapter: FastifyAdapter, bodyLimit: number): void {
  const parseJson = adapter.getInstance().getDefaultJsonParser('error', 'error');
  const others = Object.keys(DEFINITION_TYPES).filter((type) => type !== 'application/json');
  adapter.useBodyParser('application/json', false, { bodyLimit }, (request, body, done) => {
    const text = body.toString();
    if (request.routeOptions.config.readsText) done(null, text);
    else void parseJson(request, text, done);
  });
  adapter.useBodyParser(others, false, { bodyLimit }, (_request, body, done) => done(null, body.toString()));
  adapter.useBodyParser([...RESULT_TYPES], false, { bodyLimit }, (request, body, done) => {
    if (request.routeOptions.config.readsResults) done(null, body.toString());
    else done(new errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE(request.headers['content-type']));
  });
}
