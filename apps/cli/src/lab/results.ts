import { readFileSync } from 'node:fs';
import type { ExportFormat, Job, ResultPage, ResultUpload } from '@bootlab/lab';
import { ExitCode, UsageError } from '../exit-codes.js';
import type { LabClient } from './client.js';
import { columns, countsText, printable, type Output } from './output.js';

export interface ResultsOptions {
  /** For another tool; undefined: a table. */
  format?: ExportFormat;
  /** JUnit documents to add. */
  add: readonly string[];
  /** What stands in front of their names. */
  suite?: string;
}

/**
 * Prints the results of a job, after adding to them what other tools found out.
 * @returns the exit status: 1 when one of them is bad
 */
export async function results(
  client: LabClient,
  jobId: string,
  { format, add, suite }: ResultsOptions,
  { out }: Output,
): Promise<number> {
  const job = `/jobs/${encodeURIComponent(jobId)}`;
  const documents = add.map((file) => ({ file, text: readDocument(file) }));
  for (const { file, text } of documents) {
    const query = suite === undefined ? '' : `?${new URLSearchParams({ suite })}`;
    const { added } = await client.json<ResultUpload>(`${job}/results${query}`, {
      method: 'POST',
      headers: { 'content-type': 'application/xml' },
      body: text,
    });
    if (format === undefined) out.write(`${file}: ${added} ${added === 1 ? 'result' : 'results'} added\n`);
  }
  const { counts } = await client.json<Job>(job);
  if (format !== undefined) out.write(await client.text(`${job}/results?format=${format}`));
  else if (documents.length === 0) await printTable(client, job, out);
  if (format === undefined) out.write(`${countsText(counts) || 'no results'}\n`);
  return counts.fail + counts.error > 0 ? ExitCode.fail : ExitCode.pass;
}

async function printTable(client: LabClient, job: string, out: Output['out']): Promise<void> {
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: ResultPage = await client.json<ResultPage>(`${job}/results${cursor && `?cursor=${cursor}`}`);
    const rows = page.items.map(({ outcome, lines, suite, name }) => [
      outcome,
      lines ? `${lines.first}-${lines.last}` : '-',
      printable(`${suite}/${name}`),
    ]);
    out.write(columns(cursor === '' ? [['RESULT', 'LINES', 'CASE'], ...rows] : rows));
    cursor = page.nextCursor;
  }
}

function readDocument(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`--add: cannot read ${file}: ${(error as Error).message}`);
  }
}
