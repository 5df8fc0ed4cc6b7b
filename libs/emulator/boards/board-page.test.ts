import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { boardPage } from './board-page.js';
import { boardCatalogue } from './catalogue.js';

describe.each(boardCatalogue())('docs/boards/$id.md', (board) => {
  it('is what scripts/board-docs.mjs makes of the declaration', () => {
    const file = join(import.meta.dirname, '..', '..', '..', 'docs', 'boards', `${board.id}.md`);
    expect(readFileSync(file, 'utf8')).toBe(boardPage(board));
  });
});
