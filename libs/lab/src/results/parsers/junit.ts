import { SaxesParser, type SaxesTagPlain } from 'saxes';
import type { CaseStatus, ConsoleLine, ResultParser } from '../test-case.js';
import { Cases, secondsToNs, type ParserOptions } from './support.js';

const MAX_DOCUMENT_LENGTH = 64 * 1024 * 1024;
const MAX_DEPTH = 64;
/** The case that says what is wrong with the document. */
export const JUNIT_DOCUMENT = 'JUnit document';
const MAX_TEXT = 8192;

interface OpenCase {
  readonly began: ConsoleLine;
  readonly path: string[];
  readonly durationNs: number | undefined;
  status: CaseStatus;
  message: string;
}

/**
 * JUnit's XML, in the dialect that CI servers agree on (testmoapp/junitxml). The document begins at the first line with
 * "<?xml", "<testsuites" or "<testsuite"; what is printed before and after is left alone. Declarations of types and
 * entities are refused, so nothing is ever expanded but the five entities of XML itself.
 */
export class JUnitParser implements ResultParser {
  private readonly cases: Cases;
  private parser: SaxesParser<{ position: false; xmlns: false }> | undefined;
  private done = false;
  private length = 0;
  private depth = 0;
  private readonly suites: string[] = [];
  private open: OpenCase | undefined;
  /** Inside failure, error or skipped. */
  private explaining = false;
  private line: ConsoleLine;

  constructor(options: ParserOptions) {
    this.cases = new Cases(options);
    this.line = { text: '', tNs: options.startNs, line: 1 };
  }

  push(line: ConsoleLine): void {
    this.line = line;
    if (this.done) return;
    let { text } = line;
    if (!this.parser) {
      const start = text.search(/<\?xml\b|<testsuites?\b/);
      if (start < 0) return;
      text = text.slice(start);
      this.parser = this.begin();
    }
    this.length += text.length;
    if (this.length > MAX_DOCUMENT_LENGTH) this.fail(`The document is longer than ${MAX_DOCUMENT_LENGTH} characters`);
    else this.parser.write(`${text}\n`);
  }

  end(tNs: number): void {
    this.line = { ...this.line, tNs };
    if (this.parser && !this.done) this.fail('The document is not complete');
  }

  private begin(): SaxesParser<{ position: false; xmlns: false }> {
    const parser = new SaxesParser({ position: false, xmlns: false } as const);
    parser.on('error', (error) => this.fail(`Not well-formed XML: ${error.message}`));
    parser.on('doctype', () => this.fail('A document type is declared; entities are not expanded here'));
    parser.on('opentag', (tag) => this.openTag(tag));
    parser.on('text', (text) => this.text(text));
    parser.on('cdata', (text) => this.text(text));
    parser.on('closetag', (tag) => this.closeTag(tag));
    return parser;
  }

  private fail(message: string): void {
    if (this.done) return;
    this.done = true;
    this.cases.add(this.line, { path: [JUNIT_DOCUMENT], status: 'error', message });
  }

  private openTag({ name, attributes }: SaxesTagPlain): void {
    if (this.done) return;
    this.depth += 1;
    if (this.depth > MAX_DEPTH) return this.fail('The document is nested too deeply');
    switch (name) {
      case 'testsuites':
      case 'testsuite':
        this.suites.push(attributes['name'] ?? '');
        break;
      case 'testcase': {
        const { name: own = 'unnamed', classname = '', time } = attributes;
        const path = [...this.suites, classname].filter((part, index, all) => part !== '' && part !== all[index - 1]);
        this.open = {
          began: this.line,
          path: [...path, own],
          durationNs: secondsToNs(time),
          status: attributes['status'] === 'notrun' ? 'skip' : 'pass', // googletest's of what is disabled
          message: '',
        };
        break;
      }
      case 'failure':
      case 'error':
      case 'skipped':
        if (!this.open) break;
        this.open.status = name === 'failure' ? 'fail' : name === 'error' ? 'error' : 'skip';
        this.open.message = attributes['message'] ?? '';
        this.explaining = true;
        break;
    }
  }

  private text(text: string): void {
    const { open } = this;
    if (!this.explaining || !open || open.message.length > MAX_TEXT || text.trim() === '') return;
    const more = text.slice(0, MAX_TEXT);
    // Many tools say in the text what the attribute says, and perhaps more.
    if (open.message.trim() !== '' && more.trimStart().startsWith(open.message.trim())) open.message = more;
    else open.message += `${open.message === '' ? '' : '\n'}${more}`;
  }

  private closeTag({ name }: SaxesTagPlain): void {
    if (this.done) return;
    this.depth -= 1;
    if (name === 'failure' || name === 'error' || name === 'skipped') this.explaining = false;
    if (name === 'testsuite' || name === 'testsuites') this.suites.pop();
    const { open } = this;
    if (name === 'testcase' && open) {
      this.open = undefined;
      this.cases.add(this.line, {
        path: open.path,
        status: open.status,
        message: open.message,
        durationNs: open.durationNs,
        began: open.began,
      });
    }
    if (this.depth === 0) this.done = true;
  }
}
