import { Readable } from 'node:stream';
import { Controller, Get, Headers, Param, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces } from '@nestjs/swagger';
import type { Principal } from '@bootlab/lab/server';
import type { FastifyReply } from 'fastify';
import { CurrentPrincipal } from '../auth/access.js';
import { JobsService } from '../jobs/jobs.service.js';
import { ApiController, ApiProject } from '../people/documentation.js';
import { EventsService } from './events.service.js';

@ApiController('events')
@Controller('api/v1')
export class EventsController {
  constructor(
    private readonly jobs: JobsService,
    private readonly events: EventsService,
  ) {}

  @Get('jobs/:id/events')
  @ApiOperation({ summary: 'Server-sent events: the job, now and at every change, until it has ended' })
  @ApiProduces('text/event-stream')
  @ApiOkResponse({ description: 'Events "job" with a Job, then "end"' })
  async job(
    @CurrentPrincipal() principal: Principal,
    @Param('id') id: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const job = await this.jobs.get(principal, id);
    await stream(reply, (signal) => this.events.job(job.id, signal));
  }

  @Get('events')
  @ApiProject()
  @ApiOperation({ summary: 'Server-sent events: every job of the project that is made or changes' })
  @ApiProduces('text/event-stream')
  @ApiOkResponse({ description: 'Events "job" with a JobBrief; their ids resume a broken connection' })
  async project(
    @CurrentPrincipal() principal: Principal,
    @Headers('last-event-id') lastId: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const resumed = new Date(lastId ?? NaN);
    const since = Number.isNaN(resumed.getTime()) ? new Date() : resumed;
    await stream(reply, (signal) => this.events.project(principal, since, signal));
  }
}

async function stream(reply: FastifyReply, events: (signal: AbortSignal) => AsyncIterable<string>): Promise<void> {
  const left = new AbortController();
  const body = Readable.from(events(left.signal), { objectMode: false });
  reply.raw.once('close', () => left.abort());
  await reply
    .header('content-type', 'text/event-stream; charset=utf-8')
    .header('cache-control', 'no-store')
    .header('x-accel-buffering', 'no') // proxies must not hold back what a listener waits for
    .send(body);
}
