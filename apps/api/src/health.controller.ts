import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Database } from '@bootlab/lab/server';
import { z } from 'zod';
import { Public } from './auth/auth.guard.js';
import { DATABASE, QUEUE, type JobQueue } from './lab.module.js';
import { ProblemError } from './problem/problem.js';

const healthSchema = z.object({ status: z.literal('ok'), workers: z.number().int(), queued: z.number().int() });
type Health = z.infer<typeof healthSchema>;

@ApiTags('health')
@Controller()
export class HealthController {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(QUEUE) private readonly queue: JobQueue,
  ) {}

  @Public()
  @Get(['healthz', 'api/v1/healthz'])
  @ApiOperation({ summary: 'Whether the lab can take jobs, and how many workers it has' })
  @ApiOkResponse({ standardSchema: healthSchema })
  async health(): Promise<Health> {
    try {
      await this.database.$queryRaw`SELECT 1`;
      const [workers, queued] = await Promise.all([this.queue.getWorkersCount(), this.queue.getWaitingCount()]);
      return { status: 'ok', workers, queued };
    } catch (error) {
      throw new ProblemError(503, `Database or queue does not answer: ${error instanceof Error ? error.message : ''}`);
    }
  }
}
