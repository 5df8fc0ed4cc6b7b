import { createHash } from 'node:crypto';
import { normalizeIP } from '@fastify/rate-limit';
import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { CONFIG, type ApiConfig } from '../config.token.js';
import { LIMIT_WINDOW_MS } from '../hardening/rate-limit.js';
import { ProblemError } from '../problem/problem.js';

type Check = ReturnType<FastifyInstance['createRateLimit']>;

// Set by `check` for the two limits, which know a request only.
const claimedLogins = new WeakMap<FastifyRequest, string>();

/**
 * Slows down whoever guesses passwords: so many attempts a minute from one address, whoever is tried, and on one login,
 * wherever they come from.
 */
@Injectable()
export class SignInLimit {
  private byAddress: Check | undefined;
  private byLogin: Check | undefined;

  constructor(
    private readonly host: HttpAdapterHost,
    @Inject(CONFIG) private readonly config: ApiConfig,
  ) {}

  /** Counts an attempt. @throws ProblemError 429 when it is one too many */
  async check(request: FastifyRequest, login: string | undefined): Promise<void> {
    // The limits need the plug-in, which is registered after Nest has made this object.
    const server = this.host.httpAdapter.getInstance<FastifyInstance>();
    const limits = { max: this.config.signInsPerMinute, timeWindow: LIMIT_WINDOW_MS };
    this.byAddress ??= server.createRateLimit({ ...limits, keyGenerator: ({ ip }) => `sign-in:${normalizeIP(ip)}` });
    this.byLogin ??= server.createRateLimit({
      ...limits,
      keyGenerator: (tried) => `login:${digest(claimedLogins.get(tried) ?? '')}`,
    });
    let result = await this.byAddress(request);
    if (result.isAllowed || !result.isExceeded) {
      if (login === undefined) return;
      claimedLogins.set(request, login);
      result = await this.byLogin(request);
      if (result.isAllowed || !result.isExceeded) return;
    }
    const message = 'Too many attempts to sign in';
    throw new ProblemError(
      429,
      message,
      [{ field: login === undefined ? 'token' : 'login', message, mend: `Wait ${result.ttlInSeconds} seconds.` }],
      { 'retry-after': String(result.ttlInSeconds) },
    );
  }
}

/** Whatever somebody types as a login, the key has one length. */
const digest = (text: string): string => createHash('sha256').update(text).digest('base64url');
