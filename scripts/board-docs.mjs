#!/usr/bin/env node
// Writes docs/boards/*.md from the board declarations: `npm run build && node scripts/board-docs.mjs`.
// A unit test fails while a page differs from its board.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { boardCatalogue, boardPage } from '@bootlab/emulator';

const folder = join(import.meta.dirname, '..', 'docs', 'boards');
mkdirSync(folder, { recursive: true });
for (const board of boardCatalogue()) writeFileSync(join(folder, `${board.id}.md`), boardPage(board));
