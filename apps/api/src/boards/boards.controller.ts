import { Controller, Get, Param } from '@nestjs/common';
import { ApiBearerAuth, ApiDefaultResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { boardSchema, problemSchema, type Board } from '@bootlab/lab';
import { z } from 'zod';
import { BoardsService } from './boards.service.js';

@ApiTags('boards')
@ApiBearerAuth()
@ApiDefaultResponse({ standardSchema: problemSchema, description: 'Any error, as application/problem+json' })
@Controller('api/v1/boards')
export class BoardsController {
  constructor(private readonly boards: BoardsService) {}

  @Get()
  @ApiOperation({ summary: 'The board catalogue' })
  @ApiOkResponse({ standardSchema: z.object({ items: z.array(boardSchema) }) })
  list(): { items: Board[] } {
    return { items: this.boards.list() };
  }

  @Get(':id')
  @ApiOperation({ summary: 'One board' })
  @ApiOkResponse({ standardSchema: boardSchema })
  get(@Param('id') id: string): Board {
    return this.boards.get(id);
  }
}
