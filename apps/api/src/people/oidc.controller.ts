import { Body, Controller, Get, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiResponse } from '@nestjs/swagger';
import { oidcBeginSchema, oidcRedirectSchema, type OidcBegin } from '@bootlab/lab';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Public } from '../auth/access.js';
import { Unaudited } from '../auth/audit-trail.js';
import { SessionCookie } from '../auth/session-cookie.js';
import { ApiController, ApiJsonBody } from './documentation.js';
import { OIDC_PATH, OidcService, pendingSchema, type PendingSignIn } from './oidc.service.js';
import { SignInLimit } from './sign-in-limit.js';
import { SignInService } from './sign-in.service.js';

const COOKIE = 'bootlab-oidc';
const MAX_AGE_S = 600;

/** The two ends of a sign-in through an OpenID provider; in between the person is there. */
@ApiController('session')
@Controller('api/v1/session/oidc')
@Public()
@Unaudited('SignInService writes it, with who it turned out to be')
export class OidcController {
  constructor(
    private readonly oidc: OidcService,
    private readonly signIns: SignInService,
    private readonly limit: SignInLimit,
    private readonly cookie: SessionCookie,
  ) {}

  @Post()
  @HttpCode(200)
  @ApiOperation({ summary: 'Begin a sign-in through the OpenID provider of the lab' })
  @ApiJsonBody(oidcBeginSchema)
  @ApiOkResponse({ standardSchema: oidcRedirectSchema, description: 'Where to send the browser' })
  async begin(
    @Body({ schema: oidcBeginSchema }) { invitation }: OidcBegin,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<{ url: string }> {
    await this.limit.check(request, undefined);
    const { url, pending } = await this.oidc.begin(invitation);
    // Lax: the browser comes back from the provider's site, and must bring it.
    void reply.setCookie(COOKIE, Buffer.from(JSON.stringify(pending)).toString('base64url'), {
      httpOnly: true,
      sameSite: 'lax',
      path: OIDC_PATH,
      secure: this.cookie.isSecure(request),
      maxAge: MAX_AGE_S,
    });
    return { url };
  }

  @Get('callback')
  @ApiOperation({ summary: 'Where the provider sends the browser back to; signs in and shows the pages' })
  @ApiResponse({ status: 303, description: 'To the pages: signed in, or with ?sign-in=<why not>' })
  async callback(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await this.limit.check(request, undefined);
    const pending = pendingOf(request.cookies[COOKIE]);
    void reply.clearCookie(COOKIE, { path: OIDC_PATH });
    const result = pending ? await this.oidc.finish(request.url, pending) : { refusal: 'failed' as const };
    if ('userId' in result) await this.signIns.open(request, reply, result);
    await reply.redirect('userId' in result ? '/' : `/?sign-in=${result.refusal}`, 303);
  }
}

function pendingOf(cookie: string | undefined): PendingSignIn | undefined {
  try {
    return pendingSchema.parse(JSON.parse(Buffer.from(cookie ?? '', 'base64url').toString()));
  } catch {
    return undefined; // none, or not ours
  }
}
