import type { CaseStatus, ConsoleLine, ResultParser } from '../test-case.js';
import { Cases, Explanation, withoutStamp, type ParserOptions } from './support.js';

/** Where the tools of a format differ. */
export interface TapDialect {
  /** Whether comments explain the result after them (KTAP) or before them (Test::More). */
  readonly diagnostics: 'before' | 'after';
  /** kselftest's runner puts the output of each test into comments: "# ok 1 …" is a subtest. */
  readonly nestedComments: boolean;
}

interface PendingCase {
  readonly path: string[];
  readonly status: CaseStatus;
  message: string | undefined;
  readonly line: ConsoleLine;
}

/** The tests at one depth. */
interface Level {
  readonly indent: number;
  /** From "# Subtest: name". */
  name: string | undefined;
  planned: number | undefined;
  results: number;
  /** Results that wait for the name of what they are part of. */
  readonly cases: PendingCase[];
  readonly explanation: Explanation;
}

const RESULT = /^(not )?ok(?: (\d{1,9}))?(?: +- +| +|$)(.*)$/;
const PLAN = /^1\.\.(\d{1,9})(?:\s*# *(.*))?$/;
const DIRECTIVE = /(^|\s)# *(SKIP|XFAIL|TODO|TIMEOUT|ERROR|exit=\d+)\S*(?: +(.*))?$/i;
// Older kselftest runners.
const BRACKETED = / *\[ ?(PASS|FAIL|SKIP|TIMEOUT|XFAIL)\]$/;
const NESTED = /^# (?=(?:# )*(?:K?TAP version|(?:not )?ok\b|1\.\.\d| {4}|Subtest:|# Subtest:))/;
const MAX_DEPTH = 16;
const MAX_PENDING = 100_000;

/**
 * Test Anything Protocol 13 and 14 (testanything.org/tap-version-14-specification.html) and the kernel's KTAP
 * (Documentation/dev-tools/ktap.rst), which differs in little: comments explain what follows them, four spaces or two
 * make a subtest, "not ok … # exit=1". Subtests become the path of their cases: their parent is a case of its own only
 * if it says more than they do.
 */
export class TapParser implements ResultParser {
  private readonly cases: Cases;
  private levels: Level[] = [newLevel(0)];
  /** A result whose explanation may follow. */
  private last: { level: Level; result: PendingCase } | undefined;
  private yaml: { indent: number; lines: string[] } | undefined;
  private bailed = false;
  private lastLine: ConsoleLine;

  constructor(
    options: ParserOptions,
    private readonly dialect: TapDialect,
  ) {
    this.cases = new Cases(options);
    this.lastLine = { text: '', tNs: options.startNs, line: 1 };
  }

  push(line: ConsoleLine): void {
    this.lastLine = line;
    let text = withoutStamp(line.text);
    let depth = 0;
    for (; this.dialect.nestedComments && depth < MAX_DEPTH && NESTED.test(text); depth++) text = text.slice(2);
    const body = text.trimStart();
    const indent = text.length - body.length + 2 * depth;
    if (this.inYaml(body, indent)) return;
    this.read(body.trimEnd(), indent, line);
  }

  end(tNs: number): void {
    const line = { ...this.lastLine, tNs };
    while (this.levels.length > 1) this.breakOff(line);
    const [top] = this.levels;
    if (!top) return;
    this.checkPlan(top, line);
    this.flush(top, 0);
  }

  /** The output ends inside a subtest: its cases count, and so does that its own result never came. */
  private breakOff(line: ConsoleLine): void {
    const level = this.levels.at(-1);
    const incomplete = level?.planned !== undefined && level.planned !== level.results;
    if (level && !incomplete && !this.bailed) {
      const message = 'The output ended before its result';
      level.cases.push({ path: ['subtest'], status: 'error', message, line });
    }
    this.closeLevel(undefined, line);
  }

  private read(body: string, indent: number, line: ConsoleLine): void {
    const result = RESULT.exec(body);
    if (result) {
      this.result(result, indent, line);
      return;
    }
    const plan = PLAN.exec(body);
    if (plan) {
      this.plan(Number(plan[1]), plan[2], indent, line);
    } else if (/^K?TAP version \d+$/.test(body)) {
      this.version(this.levelAt(indent, line), line);
    } else if (body.startsWith('# Subtest: ')) {
      // TAP 14 puts the comment before the subtest, at its parent's depth; KTAP inside.
      const level = this.levelAt(indent, line);
      level.name = body.slice('# Subtest: '.length);
    } else if (body.startsWith('Bail out!')) {
      this.bailed = true;
      const message = body.slice('Bail out!'.length).trim();
      this.add(this.levelAt(indent, line), ['Bail out!'], 'error', message || 'The tests gave up', line);
    } else if (!/^pragma [+-]/.test(body)) this.comment(body, indent);
  }

  private result([, not, , rest = '']: RegExpExecArray, indent: number, line: ConsoleLine): void {
    const level = this.levelAt(indent, line, true);
    level.results += 1;
    const { name, status, message } = describe(rest, not !== undefined);
    const label = name || `test ${level.results}`;
    const explanation = level.explanation.take();
    const children = this.takeChildren(level, label, line);
    // What was skipped says why itself, in its directive.
    const explains = this.dialect.diagnostics === 'before' && (status === 'fail' || message === undefined);
    const before = explains && status !== 'pass' ? explanation : undefined;
    if (children.length > 0) {
      level.cases.push(...children);
      const said = status === 'pass' || children.some((child) => child.status === status);
      if (!said) this.add(level, [label], status, message ?? before ?? 'The whole failed, none of its parts did', line);
    } else this.add(level, [label], status, [message, before].filter(Boolean).join('\n'), line);
    if (level.indent === 0 && this.levels.length === 1) this.flush(level, this.dialect.diagnostics === 'after' ? 1 : 0);
  }

  private add(level: Level, path: string[], status: CaseStatus, message: string | undefined, line: ConsoleLine): void {
    if (level.cases.length >= MAX_PENDING) this.flush(level, 0);
    const result: PendingCase = { path, status, message: message === '' ? undefined : message, line };
    level.cases.push(result);
    this.last = { level, result };
  }

  private plan(planned: number, directive: string | undefined, indent: number, line: ConsoleLine): void {
    const level = this.levelAt(indent, line, true);
    level.planned = planned;
    if (planned === 0) this.add(level, [level.name ?? 'all'], 'skip', directive?.replace(/^SKIP\S* */i, ''), line);
  }

  /** Another document begins where one was read already: several programs, one after the other. */
  private version(level: Level, line: ConsoleLine): void {
    if (level.results === 0) return;
    this.checkPlan(level, line);
    level.results = 0;
    level.planned = undefined;
    this.bailed = false;
  }

  private comment(body: string, indent: number): void {
    const level = this.levels.findLast((each) => each.indent <= indent) ?? this.levels[0];
    const text = body.replace(/^# ?/, '');
    if (
      body === '' ||
      /^(?:module: |speed: |Totals: |selftests: |timeout set to )/.test(text) ||
      /^(?:[\w.-]+: )?pass:\d+ fail:\d+/.test(text)
    )
      return;
    const { last } = this;
    if (this.dialect.diagnostics === 'before') level?.explanation.push(text);
    else if (last && last.result.status !== 'pass' && body.startsWith('#')) {
      last.result.message = [last.result.message, text].filter(Boolean).join('\n').slice(0, 8192);
    }
  }

  /** A YAML block after a result: "  ---" to "  ...". */
  private inYaml(body: string, indent: number): boolean {
    const { yaml, last } = this;
    if (!yaml) {
      if (body.trimEnd() !== '---' || !last || indent <= last.level.indent) return false;
      this.yaml = { indent, lines: [] };
      return true;
    }
    const ended = body.trimEnd() === '...';
    // A block that its test never ended must not swallow the next results.
    if (!ended && indent < yaml.indent && body !== '') {
      this.endYaml(yaml.lines);
      return false;
    }
    if (ended) this.endYaml(yaml.lines);
    else if (yaml.lines.length < 200) yaml.lines.push(' '.repeat(Math.max(0, indent - yaml.indent)) + body);
    return true;
  }

  private endYaml(lines: readonly string[]): void {
    this.yaml = undefined;
    const { last } = this;
    if (!last || last.result.status === 'pass') return;
    last.result.message = [last.result.message, ...lines].filter(Boolean).join('\n');
    // Its level may have been waiting for this alone.
    if (last.level.indent === 0 && this.levels.length === 1) this.flush(last.level, 0);
  }

  /** The level of a line, deeper ones that are over closed if it is a result or a plan of a level above them. */
  private levelAt(indent: number, line: ConsoleLine, keepChildren = false): Level {
    let top = this.levels.at(-1) ?? newLevel(0);
    // The children of the result at hand are one level deeper: the result gives them their name.
    while (top.indent > indent && this.levels.length > 1) {
      const above = this.levels.at(-2);
      // Indented between two levels, it belongs to the upper one.
      if (keepChildren && above && above.indent <= indent) return above;
      this.closeLevel(undefined, line);
      top = this.levels.at(-1) ?? top;
    }
    if (indent > top.indent && this.levels.length < MAX_DEPTH) {
      top = newLevel(indent);
      this.levels.push(top);
    }
    return top;
  }

  private takeChildren(level: Level, name: string, line: ConsoleLine): PendingCase[] {
    const children = this.levels.at(-1);
    if (!children || children === level || children.indent <= level.indent) return [];
    this.levels.pop();
    this.checkPlan(children, line);
    for (const child of children.cases) child.path.unshift(name);
    return children.cases;
  }

  /** Ends the deepest level without a result of its parent: its cases keep the name that it gave itself. */
  private closeLevel(name: string | undefined, line: ConsoleLine): void {
    const level = this.levels.pop();
    const above = this.levels.at(-1);
    if (!level || !above) return;
    this.checkPlan(level, line);
    const label = name ?? level.name ?? above.name;
    if (label !== undefined) for (const child of level.cases) child.path.unshift(label);
    above.cases.push(...level.cases);
  }

  private checkPlan(level: Level, line: ConsoleLine): void {
    const { planned, results } = level;
    if (planned === undefined || planned === 0 || planned === results || this.bailed) return;
    const message =
      planned > results
        ? `${planned} tests were planned, ${results} ran`
        : `${results} tests ran, ${planned} were planned`;
    level.cases.push({ path: ['plan'], status: 'error', message, line });
  }

  /** Hands out what is known whole. @param keep how many of the last may still be explained */
  private flush(level: Level, keep: number): void {
    const known = level.cases.splice(0, Math.max(0, level.cases.length - keep));
    for (const { path, status, message, line } of known) this.cases.add(line, { path, status, message });
  }
}

function newLevel(indent: number): Level {
  return { indent, name: undefined, planned: undefined, results: 0, cases: [], explanation: new Explanation() };
}

/** Name, status and reason of what follows "ok 1 - ". */
function describe(rest: string, not: boolean): { name: string; status: CaseStatus; message: string | undefined } {
  const directive = DIRECTIVE.exec(rest.slice(-4096));
  const plain: CaseStatus = not ? 'fail' : 'pass';
  if (!directive) {
    const bracketed = BRACKETED.exec(rest);
    const status = bracketed?.[1] === 'SKIP' ? 'skip' : plain;
    return {
      name: unescape(rest.slice(0, bracketed?.index)),
      status,
      message: bracketed?.[1] === 'TIMEOUT' ? 'TIMEOUT' : undefined,
    };
  }
  const name = unescape(rest.slice(0, Math.max(0, rest.length - directive[0].length)).trim());
  const [, , word = '', reason] = directive;
  switch (word.toUpperCase()) {
    case 'SKIP':
      return { name, status: 'skip', message: reason };
    case 'TODO':
    case 'XFAIL':
      // Known not to work: no failure, and no pass to count on either.
      return { name, status: 'skip', message: [word, reason].filter(Boolean).join(' ') };
    default:
      return { name, status: plain, message: [word, reason].filter(Boolean).join(' ') };
  }
}

/** TAP 14 escapes # and \ in descriptions. */
const unescape = (text: string): string => text.replace(/\\([#\\])/g, '$1').trim();
