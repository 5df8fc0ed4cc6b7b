import type { ExecOption } from './option-table.js';
import { EXEC_OPTIONS } from './option-table.js';
import type { ExecFlags, ExecOptions } from './options.js';
import { execOptions } from './options.js';

const NEGATED = /^no-/;

/** `read-only` is `readOnly`, and `no-cache` says whether `cache`. */
const nameOf = ({ flags }: ExecOption): string =>
  flagOf({ flags })
    .slice(2)
    .replace(NEGATED, '')
    .replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

const flagOf = ({ flags }: Pick<ExecOption, 'flags'>): string => flags.split(' ', 1)[0] ?? '';

/**
 * The options of an ordinary `bootlab exec` line, at once: loading commander and describing the command to it takes longer than a
 * short program. Ordinary are lines of whole words that say nothing wrong.
 * @param words the command line, from `exec` on
 * @returns what commander would make of them; undefined where it must be asked, perhaps for what is wrong
 */
export function ordinaryOptions(words: readonly string[]): ExecOptions | undefined {
  const values = new Map<string, unknown>();
  let at = 1;
  for (; words[at]?.startsWith('-'); at++) {
    if (words[at] === '--') {
      at++;
      break;
    }
    const option = EXEC_OPTIONS.find((candidate) => flagOf(candidate) === words[at]);
    if (!option) return undefined;
    const name = nameOf(option);
    if (!option.flags.includes('<')) values.set(name, !option.flags.startsWith('--no-'));
    else {
      const value = valueOf(option, words[++at]);
      if (value === undefined) return undefined;
      values.set(name, option.repeatable ? [...((values.get(name) as unknown[] | undefined) ?? []), value] : value);
    }
  }
  const [program, ...args] = words.slice(at);
  if (program === undefined || EXEC_OPTIONS.some((option) => isWrong(option, values))) return undefined;
  for (const option of EXEC_OPTIONS) {
    const otherwise = option.flags.startsWith('--no-') || option.default;
    if (otherwise !== undefined && !values.has(nameOf(option))) values.set(nameOf(option), otherwise);
  }
  return execOptions(Object.fromEntries(values) as unknown as ExecFlags, program, args); // as the table says
}

function valueOf({ choices, parse }: ExecOption, text: string | undefined): unknown {
  if (text === undefined || text.startsWith('-') || choices?.includes(text) === false) return undefined;
  if (!parse) return text;
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

const isWrong = (option: ExecOption, values: ReadonlyMap<string, unknown>): boolean =>
  (option.mandatory === true && !values.has(nameOf(option))) ||
  (option.conflicts !== undefined && values.has(nameOf(option)) && values.has(option.conflicts));
