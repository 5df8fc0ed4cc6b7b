import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { madeLinkSchema, pageQuerySchema, userChangeSchema, userSchema } from '@bootlab/lab';
import type { MadeLink, User, UserChange } from '@bootlab/lab';
import { InvitationStore, isUuid, UserStore, type Identity } from '@bootlab/lab/server';
import { z } from 'zod';
import { CurrentIdentity, Needs } from '../auth/access.js';
import { invalidField, notFound } from '../problem/problem.js';
import { AccountsService } from './accounts.service.js';
import { ApiController, ApiJsonBody } from './documentation.js';
import { linkOf } from './invitations.service.js';

const userPageSchema = z.object({ items: z.array(userSchema), nextCursor: z.string().nullable() });

/** People of the whole lab, for its operators. */
@ApiController('users')
@Controller('api/v1/users')
@Needs('operator')
export class UsersController {
  constructor(
    private readonly users: UserStore,
    private readonly invitations: InvitationStore,
    private readonly accounts: AccountsService,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Everybody, by login' })
  @ApiOkResponse({ standardSchema: userPageSchema })
  list(
    @Query({ schema: pageQuerySchema }) query: z.output<typeof pageQuerySchema>,
  ): Promise<z.output<typeof userPageSchema>> {
    return this.users.list(query);
  }

  @Patch(':id')
  @ApiOperation({ summary: 'Make somebody an operator, or disable the account' })
  @ApiJsonBody(userChangeSchema)
  @ApiOkResponse({ standardSchema: userSchema })
  async change(
    @CurrentIdentity() identity: Identity,
    @Param('id') id: string,
    @Body({ schema: userChangeSchema }) change: UserChange,
  ): Promise<User> {
    if (id === identity.userId && (change.disabled === true || change.operator === false)) {
      throw invalidField('id', 'This is yourself', 'Let another operator do it.', 409);
    }
    const user = isUuid(id) && (await this.users.change(id, change));
    if (!user) throw notFound(`person "${id}"`);
    return user;
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete an account for good; the audit log keeps what was done, without the name' })
  @ApiNoContentResponse()
  remove(@CurrentIdentity() identity: Identity, @Param('id') id: string): Promise<void> {
    return this.accounts.removeOther(identity, id);
  }

  @Post(':id/password-link')
  @ApiOperation({ summary: 'Make a link with which somebody sets a new password, once, within a day' })
  @ApiCreatedResponse({ standardSchema: madeLinkSchema })
  async passwordLink(@CurrentIdentity() identity: Identity, @Param('id') id: string): Promise<MadeLink> {
    const user = isUuid(id) && (await this.users.find(id));
    if (!user) throw notFound(`person "${id}"`);
    return linkOf(await this.invitations.passwordLink(user.id, identity.label));
  }
}
