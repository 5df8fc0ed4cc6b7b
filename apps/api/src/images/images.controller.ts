import { Controller, Get, HttpStatus, Param, Post, Query, Req } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiBody,
  ApiConsumes,
  ApiCreatedResponse,
  ApiDefaultResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { imagePageSchema, imageSchema, pageQuerySchema, problemSchema, type Image, type ImagePage } from '@bootlab/lab';
import type { Principal } from '@bootlab/lab/server';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { CurrentPrincipal, Needs } from '../auth/access.js';
import { invalidField, ProblemError } from '../problem/problem.js';
import { ImagesService } from './images.service.js';
import { MultipartReader } from './multipart.js';

@ApiTags('images')
@ApiBearerAuth()
@ApiDefaultResponse({ standardSchema: problemSchema, description: 'Any error, as application/problem+json' })
@Controller('api/v1/images')
export class ImagesController {
  constructor(
    private readonly images: ImagesService,
    private readonly multipart: MultipartReader,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Images, newest first' })
  @ApiOkResponse({ standardSchema: imagePageSchema })
  list(
    @CurrentPrincipal() principal: Principal,
    @Query({ schema: pageQuerySchema }) query: z.output<typeof pageQuerySchema>,
  ): Promise<ImagePage> {
    return this.images.list(principal, query);
  }

  @Get(':id')
  @ApiOperation({ summary: 'One image, by id or by sha256:<hex>' })
  @ApiOkResponse({ standardSchema: imageSchema })
  get(@CurrentPrincipal() principal: Principal, @Param('id') id: string): Promise<Image> {
    return this.images.get(principal, id);
  }

  @Post()
  @Needs('images')
  @ApiOperation({ summary: 'Upload images; the same bytes are stored once' })
  @ApiConsumes('multipart/form-data')
  @ApiBody({ schema: { type: 'object', additionalProperties: { type: 'string', format: 'binary' } } })
  @ApiCreatedResponse({ standardSchema: z.object({ items: z.array(imageSchema) }) })
  async upload(@CurrentPrincipal() principal: Principal, @Req() request: FastifyRequest): Promise<{ items: Image[] }> {
    if (!request.isMultipart()) {
      throw new ProblemError(HttpStatus.UNSUPPORTED_MEDIA_TYPE, 'Send the files as multipart/form-data');
    }
    const form = await this.multipart.read(request);
    try {
      if (form.files.size === 0) {
        throw invalidField('file', 'There is no file in this form', 'Send at least one part with a file name.');
      }
      return { items: await this.images.store(principal, [...form.files.values()]) };
    } finally {
      await this.multipart.discard(form);
    }
  }
}
