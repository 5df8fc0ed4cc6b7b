import { Injectable } from '@nestjs/common';
import { boardCatalogue } from '@bootlab/emulator';
import type { Board } from '@bootlab/lab';
import { notFound } from '../problem/problem.js';

/** The board catalogue, as the emulator declares it. */
@Injectable()
export class BoardsService {
  list(): Board[] {
    return [...boardCatalogue()];
  }

  get(id: string): Board {
    const board = this.list().find((candidate) => candidate.id === id);
    if (!board) throw notFound(`board "${id}"`);
    return board;
  }
}
