import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node } from 'yaml';
import type { FieldError } from '../problem.js';

const MAX_SOURCE_LENGTH = 1024 * 1024;
// "Billion laughs": nodes that aliases may stand for altogether.
const MAX_ALIAS_COUNT = 100;

/**
 * The text of a job file: YAML 1.2, of which JSON is a part. Remembers where everything stands.
 * Aliases are allowed within a limit, custom tags and keys that are no strings are not.
 */
export class JobSource {
  private constructor(
    /** Plain data. */
    readonly value: unknown,
    private readonly document: Document,
    private readonly lines: LineCounter,
  ) {}

  static parse(text: string): JobSource | { errors: FieldError[] } {
    const refuse = (message: string, mend: string, place: object = {}): { errors: FieldError[] } => ({
      errors: [{ field: 'body', message, mend, ...place }],
    });
    if (text.length > MAX_SOURCE_LENGTH) {
      return refuse('The file is too large for a job', `Keep it below ${MAX_SOURCE_LENGTH} characters.`);
    }
    const lines = new LineCounter();
    try {
      const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
      const [problem] = [...document.errors, ...document.warnings];
      if (problem) {
        const { line, col } = lines.linePos(problem.pos[0]);
        const mend = 'Correct the YAML here; mind indentation, quotes and tabs.';
        return refuse(problem.message, mend, { line, column: col });
      }
      const value: unknown = document.toJS({ maxAliasCount: MAX_ALIAS_COUNT });
      return new JobSource(value, document, lines);
    } catch (error) {
      // The parser recurses: a thousand open brackets end its stack. So do aliases beyond the limit.
      if (error instanceof RangeError) return refuse('The file is nested too deeply', 'Write it flat.');
      if (error instanceof ReferenceError) {
        return refuse(error.message, 'Write the values out instead of using so many aliases.');
      }
      throw error;
    }
  }

  /** Adds line and column to an error about a field; where the field is missing, those of what should hold it. */
  locate(error: FieldError): FieldError {
    const offset = this.offsetOf(pathOf(error.field));
    if (offset === undefined) return error;
    const { line, col } = this.lines.linePos(offset);
    return { ...error, line, column: col };
  }

  private offsetOf(path: readonly (string | number)[]): number | undefined {
    let node = this.resolve(this.document.contents);
    let offset = node?.range?.[0];
    for (const key of path) {
      if (isMap(node)) {
        const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key);
        if (!pair) break;
        offset = (pair.key as Node).range?.[0] ?? offset;
        node = this.resolve(pair.value as Node | null);
      } else if (isSeq(node) && typeof key === 'number') {
        const item = node.items[key] as Node | undefined;
        if (!item) break;
        offset = item.range?.[0] ?? offset;
        node = this.resolve(item);
      } else break;
    }
    return offset;
  }

  private resolve(node: Node | null): Node | undefined {
    return (isAlias(node) ? node.resolve(this.document) : node) ?? undefined;
  }
}

/** "steps[2].expect" → ['steps', 2, 'expect'] */
function pathOf(field: string): (string | number)[] {
  if (field === 'body') return [];
  return [...field.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, index, key]) =>
    index !== undefined ? Number(index) : (key ?? ''),
  );
}
