import type { IncomingHttpHeaders } from 'node:http';
import '@fastify/cookie';
import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { CONFIG, type ApiConfig } from '../config.token.js';

/**
 * The cookie that keeps a browser signed in. Scripts cannot read it, and no other site's page can have it sent. Over
 * HTTPS it is bound to this very host and never goes over plain HTTP.
 */
@Injectable()
export class SessionCookie {
  constructor(
    private readonly host: HttpAdapterHost,
    @Inject(CONFIG) private readonly config: ApiConfig,
  ) {}

  set(request: FastifyRequest, reply: FastifyReply, secret: string, expires: Date): void {
    const secure = this.isSecure(request);
    void reply.setCookie(secure ? SECURE_NAME : PLAIN_NAME, secret, { ...options(secure), expires });
  }

  clear(request: FastifyRequest, reply: FastifyReply): void {
    const secure = this.isSecure(request);
    void reply.clearCookie(secure ? SECURE_NAME : PLAIN_NAME, options(secure));
  }

  read(headers: IncomingHttpHeaders): string | undefined {
    const cookies = this.host.httpAdapter.getInstance<FastifyInstance>().parseCookie(headers.cookie ?? '');
    return cookies[SECURE_NAME] ?? cookies[PLAIN_NAME];
  }

  isSecure(request: FastifyRequest): boolean {
    return this.config.publicUrl?.startsWith('https:') ?? request.protocol === 'https';
  }
}

// RFC 6265bis, 4.1.3.2: browsers accept the prefix only with Secure, Path=/ and without Domain.
const SECURE_NAME = '__Host-bootlab';
const PLAIN_NAME = 'bootlab';

const options = (secure: boolean) => ({ httpOnly: true, sameSite: 'strict', path: '/', secure }) as const;
