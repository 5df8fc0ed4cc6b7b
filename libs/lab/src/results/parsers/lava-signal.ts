import type { CaseStatus, ConsoleLine, Measurement, ResultParser } from '../test-case.js';
import { Cases, type ParserOptions } from './support.js';

const BEGINNING = '<LAVA_SIGNAL_';
const SIGNAL = /<LAVA_SIGNAL_([A-Z]{1,32})(?: ([^>]{0,4000}))?>/g;
const FIELD = /([A-Z_]{1,40})=("[^"]{0,1000}"|\S{0,1000})/g;
const STATUS: Readonly<Record<string, CaseStatus>> = { pass: 'pass', fail: 'fail', skip: 'skip', unknown: 'error' };

/**
 * LAVA's signals, as lava-test-case, lava-test-set and lava-test-reference print them (LAVA documentation,
 * "Lava Test Shell" and "Test definitions"): runs and sets become the path of the cases. Anything may stand before and after
 * a signal in its line.
 */
export class LavaSignalParser implements ResultParser {
  private readonly cases: Cases;
  private run: { name: string; began: ConsoleLine } | undefined;
  private set: string | undefined;
  private readonly started = new Map<string, ConsoleLine>();

  constructor(private readonly options: ParserOptions) {
    this.cases = new Cases(options);
  }

  push(line: ConsoleLine): void {
    let end = 0;
    for (const signal of line.text.matchAll(SIGNAL)) {
      end = signal.index + signal[0].length;
      this.signal(signal[1] ?? '', signal[2]?.trim() ?? '', line);
    }
    // Without its end, something was printed into it that no time stamp tells from it.
    const broken = line.text.indexOf(BEGINNING, end);
    if (broken < 0) return;
    const message = `This signal was broken by other output: ${line.text.slice(broken, broken + 200)}`;
    this.cases.add(line, { path: [...this.path, 'broken signal'], status: 'error', message });
  }

  /** LAVA's helpers print through the kernel's log where there is one. */
  pushKernel(line: ConsoleLine): void {
    this.push(line);
  }

  end(tNs: number): void {
    const { run } = this;
    if (!run) return;
    this.cases.add(
      { ...run.began, tNs },
      { path: [run.name], status: 'error', message: 'The test run did not come to its end', began: run.began },
    );
  }

  private get path(): string[] {
    return [this.run?.name, this.set].filter((name) => name !== undefined);
  }

  private signal(name: string, text: string, line: ConsoleLine): void {
    switch (name) {
      case 'STARTRUN':
        // "0_smoke-tests 1234_1.2.3": number and name of the definition, then its id.
        this.run = { name: (text.split(' ')[0] ?? '').replace(/^\d+_/, '') || 'run', began: line };
        this.set = undefined;
        break;
      case 'ENDRUN':
        this.run = undefined;
        this.set = undefined;
        break;
      case 'TESTSET':
        this.set = text.startsWith('START ') ? text.slice('START '.length).trim() : undefined;
        break;
      case 'STARTTC':
        if (this.started.size < 10_000) this.started.set(text, line);
        break;
      case 'TESTCASE':
      case 'TESTREFERENCE':
        this.testCase(
          new Map([...text.matchAll(FIELD)].map(([, key = '', value = '']) => [key, value.replace(/^"|"$/g, '')])),
          line,
        );
        break;
      case 'TESTRAISE':
        this.cases.add(line, { path: [...this.path, 'raise'], status: 'error', message: text });
        break;
    }
  }

  private testCase(fields: ReadonlyMap<string, string>, line: ConsoleLine): void {
    const id = fields.get('TEST_CASE_ID') ?? 'unnamed';
    const result = fields.get('RESULT')?.toLowerCase() ?? '';
    const value = Number(fields.get('MEASUREMENT'));
    const measurement: Measurement | undefined =
      fields.has('MEASUREMENT') && Number.isFinite(value) ? { value, unit: fields.get('UNITS') ?? '' } : undefined;
    const known = STATUS[result];
    this.cases.add(line, {
      path: [...this.path, fields.get('TEST_SET_ID'), id].filter((name) => name !== undefined),
      status: known ?? 'error',
      message: fields.get('REFERENCE') ?? (known ? undefined : `LAVA knows no result "${result}"`),
      began: this.started.get(id),
      measurement,
    });
    this.started.delete(id);
  }
}
