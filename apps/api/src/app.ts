import fastifyCookie from '@fastify/cookie';
import fastifyMultipart from '@fastify/multipart';
import fastifyRateLimit from '@fastify/rate-limit';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { NestFactory } from '@nestjs/core';
import type { LogLevel } from '@nestjs/common';
import { readApiConfig, TokenStore } from '@bootlab/lab/server';
import { AppModule } from './app.module.js';
import { registerBodyParsers } from './body-parsers.js';
import { CONFIG, type LabConfig } from './config.token.js';
import { acceptUploads } from './images/uploads.controller.js';
import { setupOpenApi } from './openapi.js';
import { setupWeb } from './web/web.js';

const JSON_BODY_BYTES = 8 * 2 ** 20;

/** The API with everything attached, not yet listening. */
export async function createApp(logLevels: LogLevel[] = ['error', 'warn']): Promise<NestFastifyApplication> {
  const { trustedProxies } = readApiConfig(process.env);
  const adapter = new FastifyAdapter({
    bodyLimit: JSON_BODY_BYTES,
    forceCloseConnections: true,
    trustProxy: trustedProxies.length > 0 && trustedProxies,
  });
  registerBodyParsers(adapter, JSON_BODY_BYTES);
  const app = await NestFactory.create<NestFastifyApplication>(AppModule, adapter, {
    logger: logLevels,
    abortOnError: false,
  });
  app.enableShutdownHooks([]);
  await app.register(fastifyCookie);
  await app.register(fastifyRateLimit, { global: false });
  await app.register(fastifyMultipart);
  acceptUploads(app);
  await setupWeb(app);
  setupOpenApi(app);
  const { adminToken } = app.get<LabConfig>(CONFIG);
  if (adminToken) await app.get(TokenStore).ensure(adminToken, 'administrator');
  return app;
}
