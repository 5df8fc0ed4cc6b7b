import { Controller, Delete, Get, Headers, HttpCode, Param, Res } from '@nestjs/common';
import {
  ApiHeader,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiProduces,
  ApiResponse,
} from '@nestjs/swagger';
import { artifactListSchema, type ArtifactList } from '@bootlab/lab';
import type { ByteRange, Principal } from '@bootlab/lab/server';
import type { FastifyReply } from 'fastify';
import parseRange from 'range-parser';
import { CurrentPrincipal, Needs } from '../auth/access.js';
import { ApiController, ApiProject } from '../people/documentation.js';
import { ProblemError } from '../problem/problem.js';
import { ArtifactsService } from './artifacts.service.js';

@ApiController('artifacts')
@ApiProject()
@Controller('api/v1/jobs/:id/artifacts')
export class ArtifactsController {
  constructor(private readonly artifacts: ArtifactsService) {}

  @Get()
  @ApiOperation({ summary: 'Files that a job left behind, and why others are not there' })
  @ApiOkResponse({ standardSchema: artifactListSchema })
  list(@CurrentPrincipal() principal: Principal, @Param('id') id: string): Promise<ArtifactList> {
    return this.artifacts.list(principal, id);
  }

  @Get(':name')
  @ApiOperation({
    summary: 'A file that a job left behind, or a part of it',
    description: 'One range of bytes may be asked for (RFC 9110, 14.2), so that a download that broke off can go on.',
  })
  @ApiHeader({ name: 'range', required: false, description: 'For example bytes=1000-' })
  @ApiHeader({ name: 'if-range', required: false, description: 'The ETag of the part that is there already' })
  @ApiProduces('application/octet-stream')
  @ApiOkResponse({ description: 'The file' })
  @ApiResponse({ status: 206, description: 'The part of it that was asked for' })
  async content(
    @CurrentPrincipal() principal: Principal,
    @Param('id') id: string,
    @Param('name') name: string,
    @Headers('range') wanted: string | undefined,
    @Headers('if-range') ifRange: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const artifact = await this.artifacts.find(principal, id, name);
    const { contentType, sizeBytes, sha256 } = artifact;
    const etag = `"${sha256}"`;
    const range = ifRange === undefined || ifRange === etag ? rangeOf(wanted, sizeBytes) : undefined;
    // First: an answer that says why there is none must not have the file's headers.
    const content = await this.artifacts.read(artifact, range);
    void reply
      .header('content-type', contentType)
      .header('accept-ranges', 'bytes')
      .header('etag', etag)
      // Names of artifacts are letters, digits and "._-": nothing in them ends the quotes.
      .header('content-disposition', `attachment; filename="${artifact.name}"`)
      .header('x-content-type-options', 'nosniff')
      .header('content-security-policy', 'sandbox')
      .header('repr-digest', `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`);
    if (range) void reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${sizeBytes}`);
    const length = range ? range.end - range.start + 1 : sizeBytes;
    await reply.header('content-length', length).send(content);
  }

  @Delete(':name')
  @Needs('maintain')
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete a file that a job left behind, which frees storage' })
  @ApiNoContentResponse()
  remove(
    @CurrentPrincipal() principal: Principal,
    @Param('id') id: string,
    @Param('name') name: string,
  ): Promise<void> {
    return this.artifacts.remove(principal, id, name);
  }
}

/**
 * The one range that is wanted; undefined for everything, also where several are or the header says nothing of bytes.
 * @throws ProblemError when there are no such bytes
 */
function rangeOf(header: string | undefined, sizeBytes: number): ByteRange | undefined {
  if (header === undefined) return undefined;
  const ranges = parseRange(sizeBytes, header);
  if (ranges === -1) {
    const headers = { 'content-range': `bytes */${sizeBytes}` };
    throw new ProblemError(416, `The file has ${sizeBytes} bytes and none in the range ${header}`, [], headers);
  }
  if (ranges === -2 || ranges.type !== 'bytes' || ranges.length !== 1) return undefined;
  return ranges[0];
}
