import { Body, Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { madeTokenSchema, newTokenSchema, tokenSchema, type MadeToken, type NewToken, type Token } from '@bootlab/lab';
import type { Principal } from '@bootlab/lab/server';
import { z } from 'zod';
import { CurrentPrincipal, Needs } from '../auth/access.js';
import { ApiController, ApiJsonBody, ApiProject } from './documentation.js';
import { TokensService } from './tokens.service.js';

@ApiController('tokens')
@ApiProject()
@Controller('api/v1/tokens')
@Needs('read')
export class TokensController {
  constructor(private readonly tokens: TokensService) {}

  @Get()
  @ApiOperation({ summary: 'Tokens of the project: your own, for admins all of them' })
  @ApiOkResponse({ standardSchema: z.object({ items: z.array(tokenSchema) }) })
  async list(@CurrentPrincipal() principal: Principal): Promise<{ items: Token[] }> {
    return { items: await this.tokens.list(principal) };
  }

  @Post()
  @ApiOperation({ summary: 'Make a token for the project; the answer shows it this once' })
  @ApiJsonBody(newTokenSchema)
  @ApiCreatedResponse({ standardSchema: madeTokenSchema })
  create(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: newTokenSchema }) token: NewToken,
  ): Promise<MadeToken> {
    return this.tokens.create(principal, token);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Revoke a token: your own, or as admin anybody’s' })
  @ApiNoContentResponse()
  revoke(@CurrentPrincipal() principal: Principal, @Param('id') id: string): Promise<void> {
    return this.tokens.revoke(principal, id);
  }
}
