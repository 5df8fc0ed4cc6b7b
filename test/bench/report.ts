/** What one benchmark found out: rows to compare, and whether the project's own target was met. */
export interface Report {
  title: string;
  /** Under the title: what was run, in which unit. */
  note: string;
  columns: readonly string[];
  rows: readonly Row[];
  targets: readonly Target[];
}

export interface Row {
  name: string;
  /** One value a column; undefined prints as a dash. */
  values: readonly (number | undefined)[];
}

export interface Target {
  name: string;
  value: number;
  /** `value` must not be below it. */
  atLeast?: number;
  /** `value` must not be above it. */
  atMost?: number;
}

export const isMet = ({ value, atLeast = -Infinity, atMost = Infinity }: Target): boolean =>
  value >= atLeast && value <= atMost;

/** A benchmark without a result: something it needs is not here, or it failed. */
export interface NoReport {
  title: string;
  kind: 'missing' | 'failed';
  reason: string;
}

export const hasResult = (result: Report | NoReport): result is Report => 'rows' in result;

/** A number with about three significant digits, the way people compare them. */
export function formatNumber(value: number | undefined): string {
  if (value === undefined) return '-';
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

/** The report as text for a terminal. */
export function formatReport(result: Report | NoReport): string {
  if (!hasResult(result)) return `${result.title}\n  ${result.kind}: ${result.reason}`;
  const table = [
    ['', ...result.columns],
    ...result.rows.map(({ name, values }) => [name, ...values.map(formatNumber)]),
  ];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = table.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  );
  return [result.title, result.note, '', ...lines, '', ...result.targets.map(formatTarget)].join('\n  ').trimEnd();
}

function formatTarget(target: Target): string {
  const limit = target.atLeast !== undefined ? `at least ${target.atLeast}` : `at most ${target.atMost ?? Infinity}`;
  return `${isMet(target) ? 'met' : 'MISSED'}: ${target.name} is ${formatNumber(target.value)}, target ${limit}`;
}
