import type { IncomingHttpHeaders } from 'node:http';
import { Injectable } from '@nestjs/common';
import { Identities, type Identity, type Principal } from '@bootlab/lab/server';
import type { FastifyRequest } from 'fastify';
import { invalidField, ProblemError } from '../problem/problem.js';
import { SessionCookie } from './session-cookie.js';

/** Names the project of a request, for those who have several; `?project=` does the same in links. */
export const PROJECT_HEADER = 'bootlab-project';

/** Who calls, and in which project. */
@Injectable()
export class Authenticator {
  constructor(
    private readonly identities: Identities,
    private readonly cookie: SessionCookie,
  ) {}

  /** By a bearer token (RFC 6750), else by the session's cookie. @throws ProblemError 401 */
  async identify(request: FastifyRequest): Promise<Identity> {
    const { authorization } = request.headers;
    if (authorization !== undefined) {
      const token = /^Bearer (\S+)$/i.exec(authorization)?.[1];
      if (token === undefined) throw noToken();
      const identity = await this.identities.ofToken(token);
      if (!identity) throw wrongToken();
      return identity;
    }
    const identity = await this.ofCookie(request.headers);
    if (!identity) throw noToken();
    return identity;
  }

  ofToken(token: string): Promise<Identity | undefined> {
    return this.identities.ofToken(token);
  }

  /** By the cookie among the headers of any HTTP request, a WebSocket's too. */
  async ofCookie(headers: IncomingHttpHeaders): Promise<Identity | undefined> {
    const secret = this.cookie.read(headers);
    return secret === undefined ? undefined : this.identities.ofSession(secret);
  }

  /** @throws ProblemError when he must choose a project, or has chosen one that he has no business in */
  inProject(identity: Identity, request: FastifyRequest): Promise<Principal> {
    const header = request.headers[PROJECT_HEADER];
    const { project: inPath } = request.params as Record<string, unknown>;
    const { project: inQuery } = request.query as Record<string, unknown>;
    const wanted = inPath ?? header ?? inQuery;
    if (wanted !== undefined && (typeof wanted !== 'string' || wanted === '')) {
      throw invalidField('project', 'A request is about one project', `Name one, in ${PROJECT_HEADER} or ?project=.`);
    }
    return this.inNamedProject(identity, wanted);
  }

  /** @param wanted name or id; undefined for the only one. @throws ProblemError as `inProject` */
  async inNamedProject(identity: Identity, wanted: string | undefined): Promise<Principal> {
    const principal = await this.identities.inProject(identity, wanted);
    if (principal === 'several') {
      const names = (await this.identities.projectsOf(identity)).map(({ name }) => name);
      throw invalidField(
        'project',
        'You have several projects',
        `Choose one with the header "${PROJECT_HEADER}" or with ?project=: ${names.slice(0, 20).join(', ')}.`,
      );
    }
    if (principal) return principal;
    if (wanted === undefined) {
      throw new ProblemError(403, 'You are in no project', [
        { field: 'project', message: 'You are in no project', mend: 'Ask an admin of a project for an invitation.' },
      ]);
    }
    throw new ProblemError(404, `There is no project "${wanted}"`, [
      { field: 'project', message: `There is no project "${wanted}" for you`, mend: 'GET /api/v1/me lists yours.' },
    ]);
  }
}

function noToken(): ProblemError {
  return new ProblemError(401, 'This needs a token', [
    {
      field: 'authorization',
      message: 'The header is missing or not a bearer token, and there is no valid session',
      mend: 'Send "Authorization: Bearer <token>", or sign in; the lab prints its token when it starts.',
    },
  ]);
}

export function wrongToken(): ProblemError {
  return new ProblemError(401, 'This token is not valid', [
    {
      field: 'authorization',
      message: 'Unknown, expired or revoked token',
      mend: 'Make a new one under Tokens, or use the token that the lab prints at start.',
    },
  ]);
}
