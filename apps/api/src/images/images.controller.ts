import {
  Body,
  Controller,
  Delete,
  Get,
  Header,
  HttpCode,
  HttpStatus,
  Param,
  Patch,
  Post,
  Put,
  Query,
  Req,
  StreamableFile,
} from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiBody,
  ApiConsumes,
  ApiCreatedResponse,
  ApiDefaultResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiProduces,
  ApiTags,
} from '@nestjs/swagger';
import {
  imageChangeSchema,
  imagePageSchema,
  imageRetentionSchema,
  imageSchema,
  pageQuerySchema,
  problemSchema,
  type Image,
  type ImageChange,
  type ImagePage,
  type ImageRetention,
} from '@bootlab/lab';
import type { Principal } from '@bootlab/lab/server';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { CurrentPrincipal, Needs } from '../auth/access.js';
import { openApiSchema } from '../openapi.js';
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

  @Get('retention')
  @ApiOperation({ summary: 'How long this project keeps images that no job uses' })
  @ApiOkResponse({ standardSchema: imageRetentionSchema })
  retention(@CurrentPrincipal() principal: Principal): Promise<ImageRetention> {
    return this.images.retention(principal);
  }

  @Put('retention')
  @Needs('maintain')
  @ApiOperation({ summary: 'Sets how long this project keeps images that no job uses' })
  @ApiBody({ schema: openApiSchema(imageRetentionSchema, 'input') })
  @ApiOkResponse({ standardSchema: imageRetentionSchema })
  setRetention(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: imageRetentionSchema }) retention: ImageRetention,
  ): Promise<ImageRetention> {
    return this.images.setRetention(principal, retention);
  }

  @Get(':id')
  @ApiOperation({ summary: 'One image, by id or by sha256:<hex>' })
  @ApiOkResponse({ standardSchema: imageSchema })
  get(@CurrentPrincipal() principal: Principal, @Param('id') id: string): Promise<Image> {
    return this.images.get(principal, id);
  }

  @Get(':id/content')
  @ApiOperation({ summary: 'The bytes of an image, by id or by sha256:<hex>' })
  @ApiProduces('application/octet-stream')
  @ApiOkResponse({ schema: { type: 'string', format: 'binary' } })
  @Header('x-content-type-options', 'nosniff')
  @Header('content-security-policy', 'sandbox')
  async content(@CurrentPrincipal() principal: Principal, @Param('id') id: string): Promise<StreamableFile> {
    const { image, bytes } = await this.images.content(principal, id);
    return new StreamableFile(bytes, {
      type: 'application/octet-stream',
      disposition: attachment(image.name),
      length: image.sizeBytes,
    });
  }

  @Patch(':id')
  @Needs('images')
  @ApiOperation({ summary: 'Renames an image, or keeps it from retention' })
  @ApiBody({ schema: openApiSchema(imageChangeSchema, 'input') })
  @ApiOkResponse({ standardSchema: imageSchema })
  change(
    @CurrentPrincipal() principal: Principal,
    @Param('id') id: string,
    @Body({ schema: imageChangeSchema }) change: ImageChange,
  ): Promise<Image> {
    return this.images.change(principal, id, change);
  }

  @Delete(':id')
  @Needs('images')
  @HttpCode(HttpStatus.NO_CONTENT)
  @ApiOperation({ summary: 'Takes an image out of the library; jobs that ended still show it' })
  @ApiNoContentResponse()
  remove(@CurrentPrincipal() principal: Principal, @Param('id') id: string): Promise<void> {
    return this.images.remove(principal, id);
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

/** RFC 6266: the name in ASCII for old readers, and as it is. */
function attachment(name: string): string {
  const ascii = name.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16)}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}
