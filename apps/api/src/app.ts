import fastifyCookie from '@fastify/cookie';
import fastifyEtag from '@fastify/etag';
import fastifyMultipart from '@fastify/multipart';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { NestFactory } from '@nestjs/core';
import type { LoggerService, LogLevel } from '@nestjs/common';
import { Metrics, readApiConfig, TokenStore, type Tracing } from '@bootlab/lab/server';
import { AppModule } from './app.module.js';
import { registerBodyParsers } from './body-parsers.js';
import { CONFIG, type ApiConfig } from './config.token.js';
import { setBrowserRules } from './hardening/browser-rules.js';
import { answerBadAddress, answerClientError } from './hardening/client-error.js';
import { setRateLimit } from './hardening/rate-limit.js';
import { BODY_PACE, refuseSlowBodies, type BodyPace } from './hardening/slow-clients.js';
import { requireStorableRequests } from './hardening/storable-text.js';
import { acceptUploads } from './images/uploads.controller.js';
import { setupOpenApi } from './openapi.js';
import { TRACING } from './lab.module.js';
import { OperationsModule } from './operations/operations.module.js';
import { RequestTraces } from './operations/request-traces.js';
import { setupWeb } from './web/web.js';

const JSON_BODY_BYTES = 8 * 2 ** 20;
const HEADER_BYTES = 16 * 2 ** 10;
const HEADERS_MS = 15_000;
const CONNECTIONS_CHECK_MS = 5_000;

export interface AppOptions {
  logLevels?: LogLevel[];
  /** Takes what Nest's own would; `logLevels` then says nothing. */
  logger?: LoggerService;
  /** Less patience, for tests. */
  headersTimeoutMs?: number;
  bodyPace?: BodyPace;
}

/** The API with everything attached, not yet listening. */
export async function createApp(options: AppOptions = {}): Promise<NestFastifyApplication> {
  const { logLevels = ['error', 'warn'], headersTimeoutMs = HEADERS_MS, bodyPace = BODY_PACE } = options;
  const { trustedProxies } = readApiConfig(process.env);
  const adapter = new FastifyAdapter({
    bodyLimit: JSON_BODY_BYTES,
    forceCloseConnections: true,
    trustProxy: trustedProxies.length > 0 && trustedProxies,
    clientErrorHandler: answerClientError,
    frameworkErrors: answerBadAddress,
    http: {
      maxHeaderSize: HEADER_BYTES,
      headersTimeout: headersTimeoutMs,
      connectionsCheckingInterval: Math.min(CONNECTIONS_CHECK_MS, headersTimeoutMs),
    },
  });
  registerBodyParsers(adapter, JSON_BODY_BYTES);
  const app = await NestFactory.create<NestFastifyApplication>(AppModule, adapter, {
    logger: options.logger ?? logLevels,
    abortOnError: false,
  });
  app.enableShutdownHooks([]);
  const config = app.get<ApiConfig>(CONFIG);
  refuseSlowBodies(app, bodyPace);
  requireStorableRequests(app);
  await setBrowserRules(app, config);
  OperationsModule.measure(app.getHttpAdapter().getInstance(), app.get(Metrics));
  app.get(RequestTraces).follow(app.getHttpAdapter().getInstance(), app.get<Tracing>(TRACING));
  // A client that polls is told that nothing changed; what streams has no tag.
  await app.register(fastifyEtag, { weak: true });
  await app.register(fastifyCookie);
  await setRateLimit(app, config);
  await app.register(fastifyMultipart);
  acceptUploads(app);
  await setupWeb(app);
  setupOpenApi(app);
  if (config.adminToken) await app.get(TokenStore).ensure(config.adminToken, 'administrator');
  return app;
}
