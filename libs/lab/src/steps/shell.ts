import type { Shell } from '../spec/job-spec.js';

/**
 * How a command's output and exit status are found on a console. The command stands between two `echo`s whose words
 * are broken by quotes: what the terminal echoes of the typed line never contains a marker, what `echo` prints does.
 * Markers are found anywhere in a line, for output need not end with one, and carry a number, so that nothing left
 * over from an earlier command is taken for this one's.
 */
export interface TypedCommand {
  /** What is typed, newline included. */
  readonly text: string;
  /** What is printed before the command's output, without the end of its line. */
  readonly begin: string;
  /** Exit status, when `text` ends with the marker after the output; and the marker's length. */
  ending(text: string): { status: number; length: number } | undefined;
}

const ENDING = /@bl:(\d{1,10}):e:(\d{1,5}):$/;
const LONGEST_MARKER = 32;

/** Prompts of shells that nobody configured. */
export const DEFAULT_PROMPTS: Readonly<Record<Shell, string>> = { sh: '[#$] $', 'u-boot': '=> $' };

function typed(number: number, body: string): TypedCommand {
  return {
    text: `echo "@bl"":${number}:b"; ${body}; echo "@bl"":${number}:e:$?:"\n`,
    begin: `@bl:${number}:b`,
    ending(text) {
      if (!text.endsWith(':')) return undefined;
      const match = ENDING.exec(text.slice(-LONGEST_MARKER));
      if (!match || Number(match[1]) !== number) return undefined;
      return { status: Number(match[2]), length: match[0].length };
    },
  };
}

// busybox's line editor holds 1024 characters by default, a terminal in canonical mode 4096 (termios(3)).
export const MAX_TYPED = 700;
const PRINTABLE = /^[ -~]*$/;

/** A command as text that a shell's line editor takes as it is: no tabs to complete, no newline, nothing too long. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** For printf's %b (POSIX.1-2017, printf): backslash and octal escapes, printable ASCII only, no quotes. */
function escaped(command: string): string[] {
  const parts: string[] = [];
  let part = '';
  for (const byte of new TextEncoder().encode(command)) {
    const character = String.fromCharCode(byte);
    const plain = byte >= 0x20 && byte < 0x7f && character !== "'" && character !== '\\';
    part += plain ? character : `\\0${byte.toString(8).padStart(3, '0')}`;
    if (part.length < MAX_TYPED) continue;
    parts.push(part);
    part = '';
  }
  if (part !== '') parts.push(part);
  return parts;
}

/** Whether a command can be typed to U-Boot, whose shell has neither `eval` nor `printf`. */
export const fitsUBoot = (command: string): boolean => PRINTABLE.test(command) && command.length <= MAX_TYPED;

/**
 * The lines that run a command: most often one. Each has to be over before the next is typed.
 * `command eval` instead of the plain command: a syntax error then ends the command, not the line with the marker
 * (POSIX.1-2017, 2.8.1 Consequences of Shell Errors: `command` takes the special property of `eval` away).
 * @param number of the first line; each takes the next
 */
export function typeCommand(shell: Shell, command: string, number: number): TypedCommand[] {
  if (shell === 'u-boot') return [typed(number, command)];
  if (PRINTABLE.test(command) && command.length <= MAX_TYPED) {
    return [typed(number, `command eval ${quoted(command)}`)];
  }
  const bodies = escaped(command).map((part, index) => `${index === 0 ? '__bl=' : '__bl=$__bl'}'${part}'`);
  bodies.push(`command eval "$(printf %b "$__bl")"`);
  return bodies.map((body, index) => typed(number + index, body));
}

/**
 * Commands that write a file into the guest: printf is all they need, and every piece's exit status is checked.
 * @returns each short enough to be typed by {@link typeCommand} as one line
 */
export function writeFileCommands(bytes: Uint8Array, path: string, mode: string | undefined): string[] {
  const target = quoted(path);
  const commands = [`: > ${target}`];
  for (let offset = 0; offset < bytes.length;) {
    let part = '';
    for (; offset < bytes.length && part.length < MAX_TYPED - path.length - 40; offset++) {
      const byte = bytes[offset] ?? 0;
      const character = String.fromCharCode(byte);
      // In %b a digit after an octal escape could be read as part of it: three digits after the 0 leave no room.
      part += /[A-Za-z0-9_ .,:;/=+-]/.test(character) ? character : `\\0${byte.toString(8).padStart(3, '0')}`;
    }
    commands.push(`printf %b '${part}' >> ${target}`);
  }
  if (mode !== undefined) commands.push(`chmod ${mode} ${target}`);
  return commands;
}

/** Prints the digest of a file in the guest, or its size where there is no sha256sum. */
export function checkFileCommand(path: string): string {
  const target = quoted(path);
  return `sha256sum < ${target} 2>/dev/null || wc -c < ${target}`;
}
