import { sizeText } from './boot/index.js';
import type { BoardInfo } from './types.js';

/** A board's documentation page in Markdown, from its catalogue entry. `docs/boards/` holds one per board. */
export function boardPage(board: BoardInfo): string {
  const { memory } = board;
  const facts: readonly (readonly [string, string])[] = [
    ['Identifier', code(board.id)],
    ['Architecture', `${board.arch}, ${board.byteOrders.map((order) => `${order}-endian`).join(' or ')}`],
    [
      'Memory',
      `${sizeText(memory.minBytes)} to ${sizeText(memory.maxBytes)}, default ${sizeText(memory.defaultBytes)}`,
    ],
    ['Drives', `up to ${board.drives}`],
    ['Virtual clock', `${board.instructionsPerSecond / 1e6} million instructions per second`],
    ['Default command line', code(board.defaultCmdline)],
    ['Built-in self-test', board.selfTest ? 'yes' : 'no'],
  ];
  return [
    `# ${board.name}`,
    '<!-- Made by scripts/board-docs.mjs from the board’s declaration; do not edit. -->',
    `${board.description}.`,
    table(['', ''], facts),
    '## Starting software',
    board.boot,
    '## CPU models',
    table(
      ['Model', 'Description'],
      board.cpus.map(({ id, description }) => [code(id) + (id === board.defaultCpu ? ' (default)' : ''), description]),
    ),
    '## Serial consoles',
    table(
      ['Name', 'Description'],
      board.consoles.map(({ name, description }) => [code(name), description]),
    ),
    '## Devices',
    table(
      ['Name', 'Part', 'Address', 'Interrupt', 'Description'],
      board.devices.map(({ name, type, address = '', irq = '', description }) => [
        code(name),
        code(type),
        address,
        irq,
        description,
      ]),
    ),
  ]
    .join('\n\n')
    .concat('\n');
}

const code = (text: string): string => `\`${text}\``;

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}
