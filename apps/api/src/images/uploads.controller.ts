import { Controller, Delete, Head, Options, Param, Patch, Post, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiDefaultResponse, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { problemSchema } from '@bootlab/lab';
import type { Principal } from '@bootlab/lab/server';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CurrentPrincipal, Needs } from '../auth/access.js';
import { Unaudited } from '../auth/audit-trail.js';
import { UploadsService } from './uploads.service.js';

/** Leaves the bodies of uploads alone: they go from the socket to the disk. */
export function acceptUploads(app: NestFastifyApplication): void {
  app
    .getHttpAdapter()
    .getInstance()
    .addContentTypeParser('application/offset+octet-stream', (_request, _body, done) => done(null));
}

@ApiTags('images')
@ApiBearerAuth()
@ApiHeader({ name: 'Tus-Resumable', description: 'Version of the tus protocol: 1.0.0', required: true })
@ApiDefaultResponse({ standardSchema: problemSchema, description: 'Any error, as application/problem+json' })
@Controller('api/v1/uploads')
export class UploadsController {
  constructor(private readonly uploads: UploadsService) {}

  @Post()
  @Needs('images')
  @ApiOperation({
    summary: 'Begins a resumable upload (tus); Location is its address',
    description:
      'Upload-Metadata may say filename, sha256 (of the file as it is sent) and unpack (1: store what is inside). ' +
      'When all bytes are there, GET /api/v1/images/transfers/{id} tells what became of them.',
  })
  create(@CurrentPrincipal() principal: Principal, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.answer(principal, request, reply);
  }

  @Options()
  @Needs('images')
  @ApiOperation({ summary: 'What of the tus protocol this lab speaks' })
  options(@CurrentPrincipal() principal: Principal, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.answer(principal, request, reply);
  }

  @Head(':id')
  @Needs('images')
  @ApiOperation({ summary: 'How much of an upload has arrived' })
  offset(
    @CurrentPrincipal() principal: Principal,
    @Param('id') id: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ) {
    return this.answer(principal, request, reply, id);
  }

  @Patch(':id')
  @Needs('images')
  @Unaudited('the upload is written down when it begins')
  @ApiOperation({ summary: 'More of an upload' })
  append(
    @CurrentPrincipal() principal: Principal,
    @Param('id') id: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ) {
    return this.answer(principal, request, reply, id);
  }

  @Delete(':id')
  @Needs('images')
  @ApiOperation({ summary: 'Gives an upload up' })
  remove(
    @CurrentPrincipal() principal: Principal,
    @Param('id') id: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ) {
    return this.answer(principal, request, reply, id);
  }

  /** The protocol's server writes the answer itself; a problem found before that is thrown, and answered as any other. */
  private async answer(principal: Principal, request: FastifyRequest, reply: FastifyReply, id?: string): Promise<void> {
    await this.uploads.handle(principal, request.raw, reply.raw, id);
    reply.hijack();
  }
}
