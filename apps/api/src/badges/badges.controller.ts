import { Body, Controller, Delete, Get, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiProduces } from '@nestjs/swagger';
import { badgeSchema, newBadgeSchema, type Badge, type NewBadge, type Outcome } from '@bootlab/lab';
import { BadgeStore, type Principal } from '@bootlab/lab/server';
import { makeBadge } from 'badge-maker';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { CurrentPrincipal, Needs, Public } from '../auth/access.js';
import { isUuid } from '../jobs/jobs.service.js';
import { ApiController, ApiJsonBody, ApiProject } from '../people/documentation.js';
import { notFound } from '../problem/problem.js';

const SHOWN: Readonly<Record<Outcome | 'none', { message: string; color: string }>> = {
  pass: { message: 'passed', color: 'brightgreen' },
  fail: { message: 'failed', color: 'red' },
  timeout: { message: 'timed out', color: 'orange' },
  infra: { message: 'infrastructure', color: 'lightgrey' },
  cancelled: { message: 'cancelled', color: 'lightgrey' },
  none: { message: 'no job yet', color: 'lightgrey' },
};

@ApiController('badges')
@Controller()
export class BadgesController {
  constructor(private readonly badges: BadgeStore) {}

  @Get('api/v1/badges')
  @ApiProject()
  @ApiOperation({ summary: 'Badges of the project, newest first' })
  @ApiOkResponse({ standardSchema: z.object({ items: z.array(badgeSchema) }) })
  async list(@CurrentPrincipal() { projectId }: Principal): Promise<{ items: Badge[] }> {
    return { items: await this.badges.list(projectId) };
  }

  @Post('api/v1/badges')
  @Needs('maintain')
  @ApiProject()
  @ApiOperation({ summary: 'Make a badge: everybody who has its address sees how the newest job ended' })
  @ApiJsonBody(newBadgeSchema)
  @ApiCreatedResponse({ standardSchema: badgeSchema })
  create(
    @CurrentPrincipal() { projectId }: Principal,
    @Body({ schema: newBadgeSchema }) badge: NewBadge,
  ): Promise<Badge> {
    return this.badges.create(projectId, badge);
  }

  @Delete('api/v1/badges/:id')
  @HttpCode(204)
  @Needs('maintain')
  @ApiProject()
  @ApiOperation({ summary: 'Remove a badge: its address shows nothing any more' })
  @ApiNoContentResponse()
  async remove(@CurrentPrincipal() { projectId }: Principal, @Param('id') id: string): Promise<void> {
    if (!isUuid(id) || !(await this.badges.delete(projectId, id))) throw notFound(`badge "${id}"`);
  }

  @Get('badges/:file')
  @Public()
  @ApiOperation({ summary: 'The picture' })
  @ApiProduces('image/svg+xml')
  @ApiOkResponse({ description: 'SVG' })
  async picture(@Param('file') file: string, @Res() reply: FastifyReply): Promise<void> {
    const secret = /^([A-Za-z0-9_-]{32})\.svg$/.exec(file)?.[1];
    const shown = secret === undefined ? undefined : await this.badges.shown(secret);
    if (!shown) throw notFound('such badge');
    const svg = makeBadge({ label: shown.label, ...SHOWN[shown.outcome ?? 'none'] });
    await reply
      .header('content-type', 'image/svg+xml; charset=utf-8')
      // Proxies that show pictures in other people's pages must ask again each time.
      .header('cache-control', 'no-cache')
      .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
      .header('x-content-type-options', 'nosniff')
      .send(svg);
  }
}
