import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { auditPageSchema, auditQuerySchema, type AuditPage, type AuditQuery } from '@bootlab/lab';
import { AuditLog, type Principal } from '@bootlab/lab/server';
import { requireScope } from '../auth/auth.guard.js';
import { CurrentPrincipal, Needs } from '../auth/access.js';
import { ApiController, ApiProject } from './documentation.js';

@ApiController('audit')
@ApiProject()
@Controller('api/v1/audit')
@Needs('admin')
export class AuditController {
  constructor(private readonly audit: AuditLog) {}

  @Get()
  @ApiOperation({ summary: 'Who changed what, when and from where; newest first' })
  @ApiOkResponse({ standardSchema: auditPageSchema })
  list(
    @CurrentPrincipal() principal: Principal,
    @Query({ schema: auditQuerySchema }) query: AuditQuery,
  ): Promise<AuditPage> {
    if (query.lab === '1') requireScope(principal, 'operator');
    return this.audit.list(query.lab === '1' ? undefined : principal.projectId, query);
  }
}
