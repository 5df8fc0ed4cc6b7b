import type { BoardInfo } from '@bootlab/emulator';
import { formatSize } from '@bootlab/lab';

/** Columns padded to their widest cell; the last one is left as long as it is. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows.reduce<number[]>((all, row) => row.map((cell, i) => Math.max(all[i] ?? 0, cell.length)), []);
  return rows.map((row) =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

const section = (title: string, rows: readonly (readonly string[])[]): string[] =>
  rows.length === 0 ? [] : ['', title, ...columns(rows).map((line) => `  ${line}`)];

/** The catalogue, one board a line. */
export function boardList(boards: readonly BoardInfo[]): string {
  const rows = boards.map((board) => [board.id, board.arch, board.cpus.map((cpu) => cpu.id).join(' '), board.name]);
  return [
    ...columns([['BOARD', 'ARCH', 'CPUS', 'NAME'], ...rows]),
    '',
    "'bootlab boards BOARD' shows one in full.",
  ].join('\n');
}

/** Everything about one board. */
export function boardPage(board: BoardInfo): string {
  const { memory } = board;
  const sizes = `${formatSize(memory.defaultBytes)} (${formatSize(memory.minBytes)} to ${formatSize(memory.maxBytes)})`;
  const marked = (id: string): string => (id === board.defaultCpu ? `${id} (default)` : id);
  return [
    `${board.id}: ${board.name}`,
    board.description,
    ...section('Facts', [
      ['Architecture', board.arch],
      ['Byte orders', board.byteOrders.join(', ')],
      ['Memory', sizes],
      ['Drives', board.drives === 0 ? 'none' : `up to ${board.drives}`],
      ['Boots', board.boot],
      ['Command line', board.defaultCmdline || 'empty'],
      ['Virtual speed', `${board.instructionsPerSecond / 1e6} M instructions per virtual second`],
      ['Self-test', board.selfTest ? `bootlab boot --board ${board.id} --firmware selftest` : 'none'],
    ]),
    ...section(
      'CPU models',
      board.cpus.map((cpu) => [marked(cpu.id), cpu.description]),
    ),
    ...section(
      'Consoles',
      board.consoles.map((console) => [console.name, console.description]),
    ),
    ...section(
      'Devices',
      board.devices.map(({ name, type, address, irq, description }) => [
        name,
        type,
        address ?? '',
        irq ?? '',
        description,
      ]),
    ),
  ].join('\n');
}
