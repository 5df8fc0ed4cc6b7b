import { Body, Controller, Delete, Get, HttpCode, Param, Put } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { memberChangeSchema, memberSchema, type Member } from '@bootlab/lab';
import { isUuid, LastAdminError, ProjectStore, type Principal } from '@bootlab/lab/server';
import { z } from 'zod';
import { CurrentPrincipal, Needs } from '../auth/access.js';
import { invalidField, notFound } from '../problem/problem.js';
import { ApiController, ApiJsonBody, ApiProject } from './documentation.js';

@ApiController('members')
@ApiProject()
@Controller('api/v1/members')
export class MembersController {
  constructor(private readonly projects: ProjectStore) {}

  @Get()
  @ApiOperation({ summary: 'Who is in the project' })
  @ApiOkResponse({ standardSchema: z.object({ items: z.array(memberSchema) }) })
  async list(@CurrentPrincipal() principal: Principal): Promise<{ items: Member[] }> {
    return { items: await this.projects.members(principal.projectId) };
  }

  @Put(':userId')
  @Needs('admin')
  @ApiOperation({ summary: 'Give a member another role; new members come by invitation' })
  @ApiJsonBody(memberChangeSchema)
  @ApiOkResponse({ standardSchema: memberSchema })
  async change(
    @CurrentPrincipal() principal: Principal,
    @Param('userId') userId: string,
    @Body({ schema: memberChangeSchema }) { role }: z.output<typeof memberChangeSchema>,
  ): Promise<Member> {
    const { projectId, operator } = principal;
    const member = isUuid(userId) && (await orphanless(this.projects.changeRole(projectId, userId, role, operator)));
    if (!member) throw notFound(`member "${userId}"`);
    return member;
  }

  @Delete(':userId')
  @HttpCode(204)
  @Needs('admin')
  @ApiOperation({ summary: 'Take somebody out of the project; his tokens for it end with that' })
  @ApiNoContentResponse()
  async remove(@CurrentPrincipal() principal: Principal, @Param('userId') userId: string): Promise<void> {
    const { projectId, operator } = principal;
    const removed = isUuid(userId) && (await orphanless(this.projects.removeMember(projectId, userId, operator)));
    if (!removed) throw notFound(`member "${userId}"`);
  }
}

async function orphanless<T>(change: Promise<T>): Promise<T> {
  try {
    return await change;
  } catch (error) {
    if (!(error instanceof LastAdminError)) throw error;
    throw invalidField('userId', error.message, 'Make somebody else an admin first.', 409);
  }
}
