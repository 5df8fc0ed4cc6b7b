import { Global, Module } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { AuditTrail } from '../auth/audit-trail.js';
import { Authenticator } from '../auth/authenticator.js';
import { RightsWatch } from '../auth/rights-watch.js';
import { SessionCookie } from '../auth/session-cookie.js';
import { AccountsService } from './accounts.service.js';
import { AuditController } from './audit.controller.js';
import { AuditInterceptor } from './audit.interceptor.js';
import { InvitationsController } from './invitations.controller.js';
import { InvitationsService } from './invitations.service.js';
import { MeController } from './me.controller.js';
import { MeService } from './me.service.js';
import { MembersController } from './members.controller.js';
import { OidcController } from './oidc.controller.js';
import { OidcService } from './oidc.service.js';
import { ProjectsController } from './projects.controller.js';
import { ProjectsService } from './projects.service.js';
import { SessionsController } from './sessions.controller.js';
import { SignInLimit } from './sign-in-limit.js';
import { SignInService } from './sign-in.service.js';
import { TokensController } from './tokens.controller.js';
import { TokensService } from './tokens.service.js';
import { UsersController } from './users.controller.js';

/** People, projects, and who may do what. */
@Global()
@Module({
  controllers: [
    SessionsController,
    OidcController,
    MeController,
    ProjectsController,
    MembersController,
    InvitationsController,
    TokensController,
    UsersController,
    AuditController,
  ],
  providers: [
    { provide: APP_INTERCEPTOR, useClass: AuditInterceptor },
    AuditTrail,
    Authenticator,
    RightsWatch,
    SessionCookie,
    MeService,
    AccountsService,
    ProjectsService,
    InvitationsService,
    OidcService,
    SignInLimit,
    SignInService,
    TokensService,
  ],
  exports: [AuditTrail, Authenticator, RightsWatch, SessionCookie],
})
export class PeopleModule {}
