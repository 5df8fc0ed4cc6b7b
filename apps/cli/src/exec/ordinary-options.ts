import type { ExecOption } from './option-table.js';
import { EXEC_OPTIONS } from './option-table.js';
import type { ExecFlags, ExecOptions } from './options.js';
import { execOptions } from './options.js';

const flagOf = ({ flags }: ExecOption): string => flags.split(' ', 1)[0] ?? '';
const isNegated = ({ flags }: ExecOption): boolean => flags.startsWith('--no-');

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
    const { name } = option;
    if (!option.flags.includes('<')) values.set(name, !isNegated(option));
    else {
      const value = valueOf(option, words[++at]);
      if (value === undefined) return undefined;
      values.set(name, option.repeatable ? [...((values.get(name) as unknown[] | undefined) ?? []), value] : value);
    }
  }
  const [program, ...args] = words.slice(at);
  if (program === undefined || EXEC_OPTIONS.some((option) => isWrong(option, values))) return undefined;
  for (const option of EXEC_OPTIONS) {
    const otherwise = isNegated(option) || option.default;
    if (otherwise !== undefined && !values.has(option.name)) values.set(option.name, otherwise);
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

const isWrong = ({ name, mandatory, conflicts }: ExecOption, values: ReadonlyMap<string, unknown>): boolean =>
  values.has(name) ? conflicts !== undefined && values.has(conflicts) : mandatory === true;
