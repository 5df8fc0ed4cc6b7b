/**
 * One file for each format. A parser sees lines without escape sequences and without what the kernel printed into
 * them; it takes what it knows and leaves the rest alone, for a console shows more than results.
 */
import type { ResultFormat } from '../formats.js';
import type { ResultParser } from '../test-case.js';
import { CTestParser } from './ctest.js';
import { GoogleTestParser } from './gtest.js';
import { JUnitParser } from './junit.js';
import { LavaSignalParser } from './lava-signal.js';
import { LtpParser } from './ltp.js';
import { PytestParser } from './pytest.js';
import { RegexParser } from './regex.js';
import type { ParserOptions } from './support.js';
import { TapParser } from './tap.js';
import { UBootTestParser } from './u-boot-ut.js';
import { ZtestParser } from './ztest.js';

export type { ParserOptions } from './support.js';

/** `exit-code` has no output to read: the step makes its case. */
export type ParsedFormat = Exclude<ResultFormat, 'exit-code'>;

/** @throws PatternError when the pattern of the format `regex` does not compile */
export function createResultParser(format: ParsedFormat, options: ParserOptions): ResultParser {
  switch (format) {
    case 'tap':
      return new TapParser(options, { diagnostics: 'after', nestedComments: false });
    case 'ktap':
    case 'kunit':
      return new TapParser(options, { diagnostics: 'before', nestedComments: false });
    case 'kselftest':
      return new TapParser(options, { diagnostics: 'before', nestedComments: true });
    case 'ltp':
      return new LtpParser(options);
    case 'lava-signal':
      return new LavaSignalParser(options);
    case 'junit':
      return new JUnitParser(options);
    case 'gtest':
      return new GoogleTestParser(options);
    case 'ctest':
      return new CTestParser(options);
    case 'pytest':
      return new PytestParser(options);
    case 'u-boot-ut':
      return new UBootTestParser(options);
    case 'ztest':
      return new ZtestParser(options);
    case 'regex':
      return new RegexParser(options);
  }
}
