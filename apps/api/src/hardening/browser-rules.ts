import fastifyCors, { type FastifyCorsOptions } from '@fastify/cors';
import fastifyHelmet from '@fastify/helmet';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import { PROJECT_HEADER } from '../auth/authenticator.js';
import type { ApiConfig } from '../config.token.js';

type CorsDone = (error: Error | null, options: FastifyCorsOptions) => void;

const YEAR_S = 31_536_000;
const PREFLIGHT_S = 600;

/**
 * What browsers may do with the lab's answers. Pages run and contact nothing but the lab itself; inline styles are
 * xterm.js's and the API reference's. Pages of other sites may call the API where the lab names them, with tokens: a
 * person's cookie is never theirs to use.
 */
export async function setBrowserRules(app: NestFastifyApplication, config: ApiConfig): Promise<void> {
  await app.register(fastifyHelmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': ["'self'"],
        'style-src': ["'self'", "'unsafe-inline'"],
        'img-src': ["'self'", 'data:'],
        'font-src': ["'self'", 'data:'],
        'object-src': ["'none'"],
        'base-uri': ["'none'"],
        'form-action': ["'self'"],
        'frame-ancestors': ["'none'"],
      },
    },
    frameguard: { action: 'deny' },
    referrerPolicy: { policy: 'same-origin' },
    hsts: config.publicUrl?.startsWith('https:') ? { maxAge: YEAR_S, includeSubDomains: false } : false,
  });
  // A function, because OPTIONS means something else to the tus protocol: only what asks for leave is answered here.
  const corsOf = ({ method, headers }: FastifyRequest): FastifyCorsOptions => ({
    preflight: method === 'OPTIONS' && headers['access-control-request-method'] !== undefined,
    origin: config.corsOrigins,
    credentials: false,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: [
      'authorization',
      'content-type',
      PROJECT_HEADER,
      'idempotency-key',
      'if-none-match',
      'last-event-id',
    ],
    exposedHeaders: ['etag', 'location', 'retry-after'],
    maxAge: PREFLIGHT_S,
  });
  await app.register(fastifyCors, () => (request: FastifyRequest, done: CorsDone) => done(null, corsOf(request)));
}
