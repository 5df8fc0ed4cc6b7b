import { Body, Controller, Delete, Get, HttpCode, Patch, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiParam } from '@nestjs/swagger';
import {
  newProjectSchema,
  projectChangeSchema,
  projectSchema,
  type NewProject,
  type Project,
  type ProjectChange,
} from '@bootlab/lab';
import type { Identity, Principal } from '@bootlab/lab/server';
import { z } from 'zod';
import { CurrentIdentity, CurrentPrincipal, Needs, NeedsIdentity } from '../auth/access.js';
import { ApiController, ApiJsonBody } from './documentation.js';
import { ProjectsService } from './projects.service.js';

@ApiController('projects')
@Controller('api/v1/projects')
export class ProjectsController {
  constructor(private readonly projects: ProjectsService) {}

  @Get()
  @NeedsIdentity()
  @ApiOperation({ summary: 'The projects that you see, with quotas and what is used of them' })
  @ApiOkResponse({ standardSchema: z.object({ items: z.array(projectSchema) }) })
  async list(@CurrentIdentity() identity: Identity): Promise<{ items: Project[] }> {
    return { items: await this.projects.list(identity) };
  }

  @Post()
  @Needs('operator')
  @ApiOperation({ summary: 'Make a project' })
  @ApiJsonBody(newProjectSchema)
  @ApiCreatedResponse({ standardSchema: projectSchema })
  create(@Body({ schema: newProjectSchema }) project: NewProject): Promise<Project> {
    return this.projects.create(project);
  }

  @Get(':project')
  @ApiOperation({ summary: 'One project, by name or id' })
  @ApiParam({ name: 'project' })
  @ApiOkResponse({ standardSchema: projectSchema })
  get(@CurrentPrincipal() principal: Principal): Promise<Project> {
    return this.projects.get(principal);
  }

  @Patch(':project')
  @Needs('admin')
  @ApiOperation({ summary: 'Rename a project (its admins), or change its quota (operators)' })
  @ApiJsonBody(projectChangeSchema)
  @ApiParam({ name: 'project' })
  @ApiOkResponse({ standardSchema: projectSchema })
  change(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: projectChangeSchema }) change: ProjectChange,
  ): Promise<Project> {
    return this.projects.change(principal, change);
  }

  @Delete(':project')
  @HttpCode(204)
  @Needs('operator')
  @ApiOperation({ summary: 'Remove a project that holds neither jobs nor images' })
  @ApiParam({ name: 'project' })
  @ApiNoContentResponse()
  remove(@CurrentPrincipal() principal: Principal): Promise<void> {
    return this.projects.remove(principal);
  }
}
