import { Body, Controller, Delete, Get, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import {
  invitationAcceptSchema,
  invitationSchema,
  invitationSecretSchema,
  invitationViewSchema,
  madeLinkSchema,
  meSchema,
  newInvitationSchema,
  passwordResetSchema,
  type Invitation,
  type InvitationAccept,
  type InvitationView,
  type MadeLink,
  type Me,
  type NewInvitation,
} from '@bootlab/lab';
import { InvitationStore, isUuid, type Principal } from '@bootlab/lab/server';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { CurrentPrincipal, Needs, Public } from '../auth/access.js';
import { notFound } from '../problem/problem.js';
import { ApiController, ApiJsonBody, ApiProject } from './documentation.js';
import { InvitationsService, linkOf } from './invitations.service.js';
import { MeService } from './me.service.js';

@ApiController('invitations')
@ApiProject()
@Controller('api/v1/invitations')
export class InvitationsController {
  constructor(
    private readonly store: InvitationStore,
    private readonly invitations: InvitationsService,
    private readonly me: MeService,
  ) {}

  @Get()
  @Needs('admin')
  @ApiOperation({ summary: 'Invitations into the project that nobody has used yet' })
  @ApiOkResponse({ standardSchema: z.object({ items: z.array(invitationSchema) }) })
  async list(@CurrentPrincipal() principal: Principal): Promise<{ items: Invitation[] }> {
    return { items: await this.store.list(principal.projectId) };
  }

  @Post()
  @Needs('admin')
  @ApiOperation({ summary: 'Make a link that lets one person into the project' })
  @ApiJsonBody(newInvitationSchema)
  @ApiCreatedResponse({ standardSchema: madeLinkSchema })
  async invite(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: newInvitationSchema }) invitation: NewInvitation,
  ): Promise<MadeLink> {
    return linkOf(await this.store.invite(principal.projectId, invitation, principal.label));
  }

  @Delete(':id')
  @HttpCode(204)
  @Needs('admin')
  @ApiOperation({ summary: 'Withdraw an invitation' })
  @ApiNoContentResponse()
  async withdraw(@CurrentPrincipal() principal: Principal, @Param('id') id: string): Promise<void> {
    const gone = isUuid(id) && (await this.store.withdraw(principal.projectId, id));
    if (!gone) throw notFound(`invitation "${id}"`);
  }

  @Post('view')
  @HttpCode(200)
  @Public()
  @ApiOperation({ summary: 'What a link is worth' })
  @ApiJsonBody(invitationSecretSchema)
  @ApiOkResponse({ standardSchema: invitationViewSchema })
  view(
    @Body({ schema: invitationSecretSchema }) { secret }: z.output<typeof invitationSecretSchema>,
    @Req() request: FastifyRequest,
  ): Promise<InvitationView> {
    return this.invitations.view(request, secret);
  }

  @Post('accept')
  @Public()
  @ApiOperation({ summary: 'Join: with a new account, or as who is signed in. Signs in' })
  @ApiJsonBody(invitationAcceptSchema)
  @ApiCreatedResponse({ standardSchema: meSchema })
  async accept(
    @Body({ schema: invitationAcceptSchema }) acceptance: InvitationAccept,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Me> {
    return this.me.show(await this.invitations.accept(request, reply, acceptance));
  }

  @Post('password')
  @Public()
  @ApiOperation({ summary: 'Set a new password with a link that an operator made. Signs in' })
  @ApiJsonBody(passwordResetSchema)
  @ApiCreatedResponse({ standardSchema: meSchema })
  async setPassword(
    @Body({ schema: passwordResetSchema }) { secret, password }: z.output<typeof passwordResetSchema>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Me> {
    return this.me.show(await this.invitations.setPassword(request, reply, secret, password));
  }
}
