import { Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiBody,
  ApiConsumes,
  ApiCreatedResponse,
  ApiDefaultResponse,
  ApiHeader,
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
  parseDuration,
  problemSchema,
  submittedJobSchema,
  validationReportSchema,
  waitQuerySchema,
  type Job,
  type JobPage,
  type JobQuery,
  type LogQuery,
  type SubmittedJob,
  type ValidationReport,
  type WaitQuery,
} from '@bootlab/lab';
import type { Principal } from '@bootlab/lab/server';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Unaudited } from '../auth/audit-trail.js';
import { CurrentPrincipal } from '../auth/auth.guard.js';
import { openApiSchema } from '../openapi.js';
import { JobLogService } from './job-log.service.js';
import { JobsService } from './jobs.service.js';
import { invalidField } from '../problem/problem.js';
import { ReadsText } from '../body-parsers.js';
import { RequestTraces } from '../operations/request-traces.js';
import { DEFINITION_TYPES, SubmissionReader } from './submission.js';
import { SubmissionsService, type Submitted } from './submissions.service.js';

@ApiTags('jobs')
@ApiBearerAuth()
@ApiDefaultResponse({ standardSchema: problemSchema, description: 'Any error, as application/problem+json' })
@Controller('api/v1/jobs')
export class JobsController {
  constructor(
    private readonly jobs: JobsService,
    private readonly logs: JobLogService,
    private readonly submissions: SubmissionReader,
    private readonly submitter: SubmissionsService,
    private readonly traces: RequestTraces,
  ) {}

  @Post()
  @ReadsText()
  @ApiOperation({
    summary: 'Submit a job',
    description:
      'The job file as JSON or YAML, or a LAVA job definition (application/x-lava+yaml); or a multipart form with ' +
      'the job in the field "spec" (or "lava") and files beside it. A matrix makes several jobs, of which the first is ' +
      'answered. With an Idempotency-Key a repeated request makes nothing and answers the same job.',
  })
  @ApiConsumes(...Object.keys(DEFINITION_TYPES), 'multipart/form-data')
  @ApiBody({ schema: openApiSchema(jobFileSchema, 'input') })
  @ApiHeader({ name: 'idempotency-key', required: false, schema: { type: 'string', maxLength: 255 } })
  @ApiCreatedResponse({ standardSchema: submittedJobSchema })
  async submit(
    @CurrentPrincipal() principal: Principal,
    @Query({ schema: waitQuerySchema }) { wait }: WaitQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SubmittedJob> {
    const key = idempotencyKeyOf(request);
    const submission = await this.submissions.read(request);
    let submitted: Submitted;
    try {
      submitted = await this.submitter.submit(principal, submission, key, this.traces.traceparent(request));
    } finally {
      await submission.discard();
    }
    const { jobIds, replayed } = submitted;
    const [first = ''] = jobIds;
    if (replayed) void reply.header('idempotent-replayed', 'true');
    void reply.header('location', `/api/v1/jobs/${first}`);
    if (wait === undefined) return { ...(await this.jobs.get(principal, first)), jobIds: [...jobIds] };
    const signal = waitSignal(wait, reply);
    const [job] = await Promise.all(jobIds.map((id) => this.jobs.untilEnded(principal, id, signal)));
    return { ...(job ?? (await this.jobs.get(principal, first))), jobIds: [...jobIds] };
  }

  @Post('validate')
  @HttpCode(200)
  @Unaudited('It changes nothing')
  @ReadsText()
  @ApiOperation({
    summary: 'Check a job without running it',
    description: 'Takes what POST /jobs takes and says everything that is wrong with it. Files may be missing.',
  })
  @ApiConsumes(...Object.keys(DEFINITION_TYPES), 'multipart/form-data')
  @ApiBody({ schema: openApiSchema(jobFileSchema, 'input') })
  @ApiOkResponse({ standardSchema: validationReportSchema })
  async validate(@CurrentPrincipal() principal: Principal, @Req() request: FastifyRequest): Promise<ValidationReport> {
    const submission = await this.submissions.read(request);
    try {
      return await this.submitter.validate(principal, submission);
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
  @ApiOperation({ summary: 'One job; with wait, as soon as it has ended or the time is over' })
  @ApiOkResponse({ standardSchema: jobSchema })
  get(
    @CurrentPrincipal() principal: Principal,
    @Param('id') id: string,
    @Query({ schema: waitQuerySchema }) { wait }: WaitQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Job> {
    return wait === undefined
      ? this.jobs.get(principal, id)
      : this.jobs.untilEnded(principal, id, waitSignal(wait, reply));
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

/** Ends a wait: when its time is over, and when the client has left. */
function waitSignal(wait: string, reply: FastifyReply): AbortSignal {
  const left = new AbortController();
  reply.raw.once('close', () => left.abort());
  return AbortSignal.any([left.signal, AbortSignal.timeout(Math.ceil(parseDuration(wait) / 1e6))]);
}

function idempotencyKeyOf({ headers }: FastifyRequest): string | undefined {
  const key = headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key === 'string' && /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw invalidField(
    'idempotency-key',
    'This is no key',
    'Send up to 255 visible ASCII characters, for example a UUID.',
  );
}
