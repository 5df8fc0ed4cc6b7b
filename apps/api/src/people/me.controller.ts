import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Req, Res } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import {
  accountDeletionSchema,
  meSchema,
  passwordChangeSchema,
  profileChangeSchema,
  sessionSchema,
  userSchema,
  type AccountDeletion,
  type Me,
  type PasswordChange,
  type Session,
  type User,
} from '@bootlab/lab';
import { isUuid, SessionStore, type Identity } from '@bootlab/lab/server';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { CurrentIdentity, NeedsIdentity } from '../auth/access.js';
import { Unaudited } from '../auth/audit-trail.js';
import { SessionCookie } from '../auth/session-cookie.js';
import { notFound } from '../problem/problem.js';
import { AccountsService } from './accounts.service.js';
import { ApiController, ApiJsonBody } from './documentation.js';
import { MeService, personOf } from './me.service.js';

@ApiController('me')
@Controller('api/v1/me')
@NeedsIdentity()
export class MeController {
  constructor(
    private readonly me: MeService,
    private readonly sessions: SessionStore,
    private readonly accounts: AccountsService,
    private readonly cookie: SessionCookie,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Who you are, and what you may do where' })
  @ApiOkResponse({ standardSchema: meSchema })
  show(@CurrentIdentity() identity: Identity): Promise<Me> {
    return this.me.show(identity);
  }

  @Patch()
  @ApiOperation({ summary: 'Change your name' })
  @ApiJsonBody(profileChangeSchema)
  @ApiOkResponse({ standardSchema: userSchema })
  rename(
    @CurrentIdentity() identity: Identity,
    @Body({ schema: profileChangeSchema }) { name }: z.output<typeof profileChangeSchema>,
  ): Promise<User> {
    return this.me.rename(identity, name);
  }

  @Post('password')
  @HttpCode(204)
  @ApiOperation({ summary: 'Change your password; signs your other browsers out' })
  @ApiJsonBody(passwordChangeSchema)
  @ApiNoContentResponse()
  changePassword(
    @CurrentIdentity() identity: Identity,
    @Body({ schema: passwordChangeSchema }) change: PasswordChange,
  ): Promise<void> {
    return this.me.changePassword(identity, change);
  }

  @Post('deletion')
  @HttpCode(204)
  @Unaudited('it is written down without the name')
  @ApiOperation({
    summary: 'Delete your account for good',
    description:
      'Ends your tokens and browsers. The audit log keeps what was done, without your name. Whoever is the last admin of a ' +
      'project makes somebody else one first.',
  })
  @ApiJsonBody(accountDeletionSchema)
  @ApiNoContentResponse()
  async remove(
    @CurrentIdentity() identity: Identity,
    @Body({ schema: accountDeletionSchema }) deletion: AccountDeletion,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    await this.accounts.removeOwn(identity, deletion);
    this.cookie.clear(request, reply);
  }

  @Get('sessions')
  @ApiOperation({ summary: 'The browsers in which you are signed in' })
  @ApiOkResponse({ standardSchema: z.object({ items: z.array(sessionSchema) }) })
  async listSessions(@CurrentIdentity() identity: Identity): Promise<{ items: Session[] }> {
    return { items: await this.sessions.list(personOf(identity), identity.sessionId) };
  }

  @Delete('sessions/:id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Sign one of your browsers out' })
  @ApiNoContentResponse()
  async endSession(@CurrentIdentity() identity: Identity, @Param('id') id: string): Promise<void> {
    const ended = isUuid(id) && (await this.sessions.end(id, personOf(identity)));
    if (!ended) throw notFound(`session "${id}"`);
  }
}
