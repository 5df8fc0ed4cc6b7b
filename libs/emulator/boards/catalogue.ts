import type { ByteOrder } from '../core/index.js';
import { ConfigError } from '../core/index.js';
import type { BoardDefinition } from './define-board.js';
import { assembleBoard, boardInfo } from './define-board.js';
import type { LoadedConfig } from './images.js';
import { loadImages } from './images.js';
import { malta } from './malta/malta.js';
import type { BoardCpu, BoardHost, BoardInfo, BuiltBoard, MachineConfig } from './types.js';

const BOARDS: readonly BoardDefinition[] = [malta];

/** Every board, as forms, documentation and command lines show it. */
export function boardCatalogue(): readonly BoardInfo[] {
  return BOARDS.map(boardInfo);
}

/** Checks everything that can be known before a machine exists. @throws ConfigError */
export function validateConfig(config: MachineConfig): void {
  validate(loadImages(config));
}

function validate(config: LoadedConfig): void {
  const board = findBoard(config.board);
  const { cpu, memoryBytes, drives = [], rtcStartSeconds } = config;
  const cpuIds = board.cpus.map(({ id }) => id);
  if (cpu !== undefined && !cpuIds.includes(cpu)) {
    throw new ConfigError(
      'cpu',
      `${board.name} has no CPU model '${cpu}'`,
      `${suggest(cpu, cpuIds)}There are: ${cpuIds.join(', ')}`,
    );
  }
  if (memoryBytes !== undefined) checkMemory(board, memoryBytes);
  if (drives.length > board.driveSlots.length) {
    throw new ConfigError(
      'drives',
      `${drives.length} drives are too many`,
      `${board.name} takes ${board.driveSlots.length}`,
    );
  }
  for (const [index, { sizeBytes }] of drives.entries()) {
    if (sizeBytes === 0 || sizeBytes % 512 !== 0) {
      throw new ConfigError(
        'drives',
        `drive ${index} has ${sizeBytes} bytes`,
        'Give an image of whole 512-byte sectors',
      );
    }
  }
  if (rtcStartSeconds !== undefined && !(Number.isSafeInteger(rtcStartSeconds) && rtcStartSeconds >= 0)) {
    throw new ConfigError('rtcStartSeconds', `${rtcStartSeconds} is no time`, 'Give whole Unix seconds, 0 or later');
  }
  if (config.byteOrder !== undefined && !board.byteOrders.includes(config.byteOrder)) {
    throw new ConfigError(
      'byteOrder',
      `${board.name} cannot be ${config.byteOrder}-endian`,
      `Use ${board.byteOrders.join(' or ')}`,
    );
  }
  board.validateImages(config);
}

/**
 * Builds a machine without its run loop.
 * @param loaded `config` with its images in memory, which it does not keep: when the board is reset, they are read again
 * @throws ConfigError
 */
export async function buildBoard<C extends BoardCpu>(
  config: MachineConfig,
  host: BoardHost<C>,
  loaded: LoadedConfig = loadImages(config),
): Promise<BuiltBoard<C>> {
  validate(loaded);
  return assembleBoard(findBoard(config.board), config, loaded, host);
}

/** The firmware that checks a board: an ELF file. @throws ConfigError for an unknown board */
export function selfTestFirmware(boardId: string, byteOrder: ByteOrder): Uint8Array {
  return findBoard(boardId).selfTest(byteOrder);
}

function findBoard(id: string): BoardDefinition {
  const board = BOARDS.find((candidate) => candidate.id === id);
  if (board) return board;
  const ids = BOARDS.map((candidate) => candidate.id);
  throw new ConfigError('board', `there is no board '${id}'`, `${suggest(id, ids)}There are: ${ids.join(', ')}`);
}

function checkMemory({ name, memory }: BoardDefinition, bytes: number): void {
  const { minBytes, maxBytes, stepBytes } = memory;
  const mib = (value: number): string => `${value / 2 ** 20} MiB`;
  if (!Number.isSafeInteger(bytes) || bytes < minBytes || bytes > maxBytes) {
    throw new ConfigError(
      'memoryBytes',
      `${name} cannot have ${bytes} bytes of memory`,
      `Give ${mib(minBytes)} to ${mib(maxBytes)}`,
    );
  }
  if (bytes % stepBytes !== 0) {
    throw new ConfigError(
      'memoryBytes',
      `${bytes} bytes are no multiple of ${mib(stepBytes)}`,
      `Give whole steps of ${mib(stepBytes)}`,
    );
  }
}

/** `Did you mean 'malta'? ` when a known name is close enough, else nothing. */
function suggest(given: string, known: readonly string[]): string {
  const ranked = known
    .map((name) => ({ name, distance: editDistance(given.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best && best.distance <= Math.max(1, Math.floor(best.name.length / 3)) ? `Did you mean '${best.name}'? ` : '';
}

/** Levenshtein distance, for names of a few characters. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
