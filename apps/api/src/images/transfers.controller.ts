import { Body, Controller, Delete, Get, HttpCode, HttpStatus, Param, Post } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiBearerAuth,
  ApiBody,
  ApiDefaultResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import {
  imageTransferSchema,
  importRequestSchema,
  problemSchema,
  type ImageTransfer,
  type ImportRequest,
} from '@bootlab/lab';
import type { Principal } from '@bootlab/lab/server';
import { z } from 'zod';
import { CurrentPrincipal, Needs } from '../auth/access.js';
import { openApiSchema } from '../openapi.js';
import { ImportsService } from './imports.service.js';
import { UploadsService } from './uploads.service.js';

@ApiTags('images')
@ApiBearerAuth()
@ApiDefaultResponse({ standardSchema: problemSchema, description: 'Any error, as application/problem+json' })
@Controller('api/v1/images')
export class TransfersController {
  constructor(
    private readonly imports: ImportsService,
    private readonly uploads: UploadsService,
  ) {}

  @Post('imports')
  @Needs('images')
  @HttpCode(HttpStatus.ACCEPTED)
  @ApiOperation({ summary: 'Has the lab download an image; the answer tells where to follow it' })
  @ApiBody({ schema: openApiSchema(importRequestSchema, 'input') })
  @ApiAcceptedResponse({ standardSchema: imageTransferSchema })
  start(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: importRequestSchema }) request: ImportRequest,
  ): Promise<ImageTransfer> {
    return this.imports.start(principal, request);
  }

  @Get('transfers')
  @ApiOperation({ summary: 'Uploads and imports of the last day, newest first' })
  @ApiOkResponse({ standardSchema: z.object({ items: z.array(imageTransferSchema) }) })
  async list(@CurrentPrincipal() principal: Principal): Promise<{ items: ImageTransfer[] }> {
    return { items: await this.imports.list(principal) };
  }

  @Get('transfers/:id')
  @ApiOperation({ summary: 'One upload or import' })
  @ApiOkResponse({ standardSchema: imageTransferSchema })
  get(@CurrentPrincipal() principal: Principal, @Param('id') id: string): Promise<ImageTransfer> {
    return this.imports.get(principal, id);
  }

  @Delete('transfers/:id')
  @Needs('images')
  @ApiOperation({ summary: 'Cancels an upload or import' })
  @ApiOkResponse({ standardSchema: imageTransferSchema })
  cancel(@CurrentPrincipal() principal: Principal, @Param('id') id: string): Promise<ImageTransfer> {
    return this.uploads.cancel(principal, id);
  }
}
