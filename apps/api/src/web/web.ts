import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import { Controller, Get, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Public } from '../auth/auth.guard.js';
import { notFound } from '../problem/problem.js';

// Both src/web and dist/web lie three folders below apps/.
const WEB_APP = fileURLToPath(new URL('../../../web/dist/', import.meta.url));
const INDEX = 'index.html';

/** Serves the files of the web application, when it has been built. */
export async function setupWeb(app: NestFastifyApplication): Promise<void> {
  if (!existsSync(path.join(WEB_APP, INDEX))) return;
  await app.register(fastifyStatic, {
    root: WEB_APP,
    wildcard: false,
    setHeaders: (reply, file) => {
      // Vite puts a digest of the content into the names of assets.
      const forever = file.includes(`${path.sep}assets${path.sep}`);
      void reply.header('cache-control', forever ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
}

/** Every page of the web application is its index: the browser does the routing. */
@ApiExcludeController()
@Controller()
export class WebController {
  @Public()
  @Get('*')
  async page(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const wantsPage = (request.headers.accept ?? '').includes('text/html');
    if (request.url.startsWith('/api/') || !wantsPage || typeof reply.sendFile !== 'function') {
      throw notFound(`page ${request.url.split('?')[0]}`);
    }
    await reply.sendFile(INDEX);
  }
}
