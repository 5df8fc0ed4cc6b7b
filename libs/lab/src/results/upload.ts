import type { Result } from '../job.js';
import { toResult } from './job-results.js';
import { createResultParser } from './parsers/index.js';
import { JUNIT_DOCUMENT } from './parsers/junit.js';
import type { TestCase } from './test-case.js';

/** A document that holds no results to take, and what to do about it. */
export class ResultUploadError extends Error {
  override readonly name = 'ResultUploadError';

  constructor(
    message: string,
    readonly mend: string,
  ) {
    super(message);
  }
}

/**
 * The results of a JUnit document that some other tool wrote, for a job that they belong to. They have no lines in its log
 * and no place in its virtual time; how long a case took is the tool's word.
 * @param suite stands in front of the names of the document's suites
 * @throws ResultUploadError when it is no JUnit document, or one without a case
 */
export function uploadedResults(document: string, suite: string): Result[] {
  const cases: TestCase[] = [];
  const parser = createResultParser('junit', { startNs: 0, emit: (each) => cases.push(each) });
  document.split('\n').forEach((text, index) => parser.push({ text, tNs: 0, line: index + 1 }));
  parser.end(0);
  const broken = cases.find(
    ({ path, status }) => path.length === 1 && path[0] === JUNIT_DOCUMENT && status === 'error',
  );
  if (broken) {
    const mend = 'Send the whole file as the test runner wrote it.';
    throw new ResultUploadError(`${broken.message ?? 'It cannot be read'} (at line ${broken.lines.last})`, mend);
  }
  if (cases.length === 0) {
    throw new ResultUploadError('The document has no test case', 'Send JUnit XML: testsuites, testsuite, testcase.');
  }
  return cases.map(({ path, durationNs, ...facts }) => ({
    ...toResult({
      ...facts,
      suite: [suite, ...path.slice(0, -1)].join('/'),
      name: path.at(-1) ?? '',
      startNs: null,
      durationNs: durationNs > 0 ? durationNs : null,
      console: '',
    }),
    console: null,
    lines: null,
  }));
}
