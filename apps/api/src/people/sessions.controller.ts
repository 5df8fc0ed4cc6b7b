import { Body, Controller, Delete, Get, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { meSchema, signInMethodsSchema, signInSchema, type Me, type SignIn, type SignInMethods } from '@bootlab/lab';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Public } from '../auth/access.js';
import { CONFIG, type ApiConfig } from '../config.token.js';
import { Unaudited } from '../auth/audit-trail.js';
import { ApiController, ApiJsonBody } from './documentation.js';
import { MeService } from './me.service.js';
import { SignInService } from './sign-in.service.js';

@ApiController('session')
@Controller('api/v1/session')
@Public()
@Unaudited('SignInService writes it, with who it turned out to be')
export class SessionsController {
  constructor(
    private readonly signIns: SignInService,
    private readonly me: MeService,
    @Inject(CONFIG) private readonly config: ApiConfig,
  ) {}

  @Get('methods')
  @ApiOperation({ summary: 'How people sign in to this lab, besides with a password or a token' })
  @ApiOkResponse({ standardSchema: signInMethodsSchema })
  methods(): SignInMethods {
    return { oidc: this.config.oidc ? { name: this.config.oidc.name } : null };
  }

  @Post()
  @ApiOperation({ summary: 'Sign a browser in, with login and password or with a token; sets a cookie' })
  @ApiJsonBody(signInSchema)
  @ApiCreatedResponse({ standardSchema: meSchema })
  async signIn(
    @Body({ schema: signInSchema }) credentials: SignIn,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Me> {
    return this.me.show(await this.signIns.signIn(request, reply, credentials));
  }

  @Delete()
  @HttpCode(204)
  @ApiOperation({ summary: 'Sign this browser out' })
  @ApiNoContentResponse()
  async signOut(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<void> {
    await this.signIns.signOut(request, reply);
  }
}
