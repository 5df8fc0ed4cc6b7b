import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import { jobFileJsonSchema } from '@bootlab/lab';
import type { FastifyReply } from 'fastify';
import { Public } from '../auth/access.js';

const JOB_SCHEMA = JSON.stringify(jobFileJsonSchema());

/** What editors check job files with: they send no token. */
@ApiTags('jobs')
@Controller('api/v1/schemas')
export class SchemasController {
  @Get('job.json')
  @Public()
  @ApiOperation({ summary: 'The JSON Schema of job files, for editors: draft 2020-12' })
  @ApiProduces('application/schema+json')
  @ApiOkResponse({ description: 'JSON Schema' })
  async job(@Res() reply: FastifyReply): Promise<void> {
    await reply.header('content-type', 'application/schema+json').send(JOB_SCHEMA);
  }
}
