import { Controller, Get, Param, Post, Query, Req, Res } from '@nestjs/common';
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
  buildMatrixSchema,
  compareQuerySchema,
  comparisonSchema,
  EXPORT_FORMATS,
  groupPageSchema,
  historyPageSchema,
  historyQuerySchema,
  jobGroupSchema,
  logLinesQuerySchema,
  logLinesSchema,
  matrixQuerySchema,
  pageQuerySchema,
  problemSchema,
  resultPageSchema,
  resultUploadQuerySchema,
  resultUploadSchema,
  resultsQuerySchema,
  type BuildMatrix,
  type Comparison,
  type GroupPage,
  type HistoryPage,
  type HistoryQuery,
  type JobGroup,
  type LogLines,
  type LogLinesQuery,
  type MatrixQuery,
  type ResultUpload,
  type ResultUploadQuery,
  type ResultsQuery,
} from '@bootlab/lab';
import type { Principal } from '@bootlab/lab/server';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { CurrentPrincipal } from '../auth/auth.guard.js';
import { ReadsResults } from '../body-parsers.js';
import { RESULT_TYPES } from './result-types.js';
import { ResultsService } from './results.service.js';

const exportQuerySchema = z.object({ format: z.enum(EXPORT_FORMATS).default('junit') });

@ApiTags('results')
@ApiBearerAuth()
@ApiDefaultResponse({ standardSchema: problemSchema, description: 'Any error, as application/problem+json' })
@Controller('api/v1')
export class ResultsController {
  constructor(private readonly results: ResultsService) {}

  @Get('jobs/:id/results')
  @ApiOperation({ summary: 'Results of a job, page by page while it runs and after; or all of them for another tool' })
  @ApiProduces('application/json', 'application/xml', 'text/plain')
  @ApiOkResponse({ standardSchema: resultPageSchema })
  async page(
    @CurrentPrincipal() principal: Principal,
    @Param('id') id: string,
    @Query({ schema: resultsQuerySchema }) query: ResultsQuery,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    if (query.format === undefined) {
      await reply.send(await this.results.page(principal, id, query));
      return;
    }
    const { contentType, text } = await this.results.exported(principal, id, query.format);
    await reply.header('content-type', contentType).send(text);
  }

  @Post('jobs/:id/results')
  @ApiOperation({
    summary: 'Add results that were found out elsewhere to a job that has ended: JUnit XML',
    description: 'They change its counts, comparisons and histories; never how it ended.',
  })
  @ReadsResults()
  @ApiConsumes(...RESULT_TYPES)
  @ApiBody({ schema: { type: 'string' } })
  @ApiCreatedResponse({ standardSchema: resultUploadSchema })
  upload(
    @CurrentPrincipal() principal: Principal,
    @Param('id') id: string,
    @Query({ schema: resultUploadQuerySchema }) query: ResultUploadQuery,
    @Req() { body }: FastifyRequest,
  ): Promise<ResultUpload> {
    return this.results.upload(principal, id, query, body);
  }

  @Get('jobs/:id/log/lines')
  @ApiOperation({ summary: 'Lines of a console by their numbers, as results and reasons name them' })
  @ApiOkResponse({ standardSchema: logLinesSchema })
  lines(
    @CurrentPrincipal() principal: Principal,
    @Param('id') id: string,
    @Query({ schema: logLinesQuerySchema }) query: LogLinesQuery,
  ): Promise<LogLines> {
    return this.results.lines(principal, id, query);
  }

  @Get('compare')
  @ApiOperation({ summary: 'What became of the results of one job in another: regressions, fixes, new, missing' })
  @ApiOkResponse({ standardSchema: comparisonSchema })
  compare(
    @CurrentPrincipal() principal: Principal,
    @Query({ schema: compareQuerySchema }) { base, head }: z.output<typeof compareQuerySchema>,
  ): Promise<Comparison> {
    return this.results.compare(principal, base, head);
  }

  @Get('history')
  @ApiOperation({ summary: 'One test case through all jobs, newest first' })
  @ApiOkResponse({ standardSchema: historyPageSchema })
  history(
    @CurrentPrincipal() principal: Principal,
    @Query({ schema: historyQuerySchema }) query: HistoryQuery,
  ): Promise<HistoryPage> {
    return this.results.history(principal, query);
  }

  @Get('matrix')
  @ApiOperation({ summary: 'Builds against boards: the newest job of each build on each board and CPU' })
  @ApiOkResponse({ standardSchema: buildMatrixSchema })
  matrix(
    @CurrentPrincipal() principal: Principal,
    @Query({ schema: matrixQuerySchema }) query: MatrixQuery,
  ): Promise<BuildMatrix> {
    return this.results.matrix(principal, query);
  }

  @Get('groups')
  @ApiOperation({ summary: 'Submissions that made several jobs, newest first' })
  @ApiOkResponse({ standardSchema: groupPageSchema })
  groups(
    @CurrentPrincipal() principal: Principal,
    @Query({ schema: pageQuerySchema }) query: z.output<typeof pageQuerySchema>,
  ): Promise<GroupPage> {
    return this.results.groups(principal, query);
  }

  @Get('groups/:id')
  @ApiOperation({ summary: 'The jobs of one submission' })
  @ApiOkResponse({ standardSchema: jobGroupSchema })
  group(@CurrentPrincipal() principal: Principal, @Param('id') id: string): Promise<JobGroup> {
    return this.results.group(principal, id);
  }

  @Get('groups/:id/results')
  @ApiOperation({ summary: 'The results of all jobs of a submission, for another tool' })
  @ApiProduces('application/xml', 'text/plain', 'application/json')
  @ApiOkResponse({ description: 'JUnit XML, TAP 14 or JSON' })
  async groupResults(
    @CurrentPrincipal() principal: Principal,
    @Param('id') id: string,
    @Query({ schema: exportQuerySchema }) { format }: z.output<typeof exportQuerySchema>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { contentType, text } = await this.results.exportedGroup(principal, id, format);
    await reply.header('content-type', contentType).send(text);
  }
}
