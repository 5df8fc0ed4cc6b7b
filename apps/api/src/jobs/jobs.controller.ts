import { Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiBody,
  ApiConsumes,
  ApiCreatedResponse,
  ApiDefaultResponse,
  ApiOkResponse,
  ApiOperation,
  ApiProduces,
  ApiTags,
} from '@nestjs/swagger';
import {
  jobFileSchema,
  jobPageSchema,
  jobQuerySchema,
  jobSchema,
  logQuerySchema,
  problemSchema,
  type Job,
  type JobPage,
  type JobQuery,
  type LogQuery,
} from '@bootlab/lab';
import type { Principal } from '@bootlab/lab/server';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CurrentPrincipal } from '../auth/auth.guard.js';
import { openApiSchema } from '../openapi.js';
import { JobLogService } from './job-log.service.js';
import { JobsService } from './jobs.service.js';
import { SubmissionReader } from './submission.js';

@ApiTags('jobs')
@ApiBearerAuth()
@ApiDefaultResponse({ standardSchema: problemSchema, description: 'Any error, as application/problem+json' })
@Controller('api/v1/jobs')
export class JobsController {
  constructor(
    private readonly jobs: JobsService,
    private readonly logs: JobLogService,
    private readonly submissions: SubmissionReader,
  ) {}

  @Post()
  @ApiOperation({
    summary: 'Submit a job',
    description: 'Either the spec as JSON, or a multipart form: the spec as JSON in the field "spec", files beside it.',
  })
  @ApiConsumes('application/json', 'multipart/form-data')
  @ApiBody({ schema: openApiSchema(jobFileSchema, 'input') })
  @ApiCreatedResponse({ standardSchema: jobSchema })
  async submit(@CurrentPrincipal() principal: Principal, @Req() request: FastifyRequest): Promise<Job> {
    const submission = await this.submissions.read(request);
    try {
      return await this.jobs.submit(principal, submission.spec, submission.files);
    } finally {
      await submission.discard();
    }
  }

  @Get()
  @ApiOperation({ summary: 'Jobs, newest first' })
  @ApiOkResponse({ standardSchema: jobPageSchema })
  list(@CurrentPrincipal() principal: Principal, @Query({ schema: jobQuerySchema }) query: JobQuery): Promise<JobPage> {
    return this.jobs.list(principal, query);
  }

  @Get(':id')
  @ApiOperation({ summary: 'One job' })
  @ApiOkResponse({ standardSchema: jobSchema })
  get(@CurrentPrincipal() principal: Principal, @Param('id') id: string): Promise<Job> {
    return this.jobs.get(principal, id);
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @ApiOperation({ summary: 'Cancel a job; one that has ended stays as it is' })
  @ApiOkResponse({ standardSchema: jobSchema })
  cancel(@CurrentPrincipal() principal: Principal, @Param('id') id: string): Promise<Job> {
    return this.jobs.cancel(principal, id);
  }

  @Get(':id/log')
  @ApiOperation({ summary: 'The console log, from any chunk on; with follow=1 until the job ends' })
  @ApiProduces('application/x-ndjson', 'application/octet-stream')
  @ApiOkResponse({ description: 'One ConsoleChunk a line, or the bytes as the consoles printed them' })
  async log(
    @CurrentPrincipal() principal: Principal,
    @Param('id') id: string,
    @Query({ schema: logQuerySchema }) query: LogQuery,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const job = await this.jobs.get(principal, id);
    const { contentType, body } = this.logs.open(job, query);
    // Proxies must not hold back what a follower waits for.
    await reply.header('content-type', contentType).header('x-accel-buffering', 'no').send(body);
  }
}
