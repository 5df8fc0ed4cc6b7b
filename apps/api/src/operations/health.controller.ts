import { randomUUID } from 'node:crypto';
import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { BlobStore, Database } from '@bootlab/lab/server';
import { z } from 'zod';
import { Public } from '../auth/access.js';
import { BLOBS, DATABASE, QUEUE, type JobQueue } from '../lab.module.js';
import { ProblemError } from '../problem/problem.js';

const healthSchema = z.object({ status: z.literal('ok') });
const readinessSchema = z.object({ status: z.literal('ok'), workers: z.number().int(), queued: z.number().int() });
type Readiness = z.infer<typeof readinessSchema>;

/** Longest wait for any of the services: who asks wants an answer, not a timeout. */
const ANSWER_MS = 5000;

@ApiTags('health')
@Controller()
export class HealthController {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(QUEUE) private readonly queue: JobQueue,
    @Inject(BLOBS) private readonly blobs: BlobStore,
  ) {}

  @Public()
  @Get(['healthz', 'api/v1/healthz'])
  @ApiOperation({ summary: 'Whether this process lives. When it does not answer, start it again' })
  @ApiOkResponse({ standardSchema: healthSchema })
  health(): z.infer<typeof healthSchema> {
    return { status: 'ok' };
  }

  @Public()
  @Get(['readyz', 'api/v1/readyz'])
  @ApiOperation({ summary: 'Whether the lab can take jobs: database, queue and blob store answer' })
  @ApiOkResponse({ standardSchema: readinessSchema })
  async readiness(): Promise<Readiness> {
    const [, , workers, queued] = await Promise.all([
      answered('The database', this.database.$queryRaw`SELECT 1`),
      answered('The blob store', this.blobs.has(`readiness/${randomUUID()}`)),
      answered('The queue', this.queue.getWorkersCount()),
      answered('The queue', this.queue.getWaitingCount()),
    ]);
    return { status: 'ok', workers, queued };
  }
}

/** @throws ProblemError 503, without what the service said: that is for the log */
async function answered<T>(service: string, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('late')), ANSWER_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } catch (error) {
    throw Object.assign(new ProblemError(503, `${service} does not answer`), { cause: error });
  } finally {
    clearTimeout(timer);
  }
}
