import { ConsolePattern } from '../pattern.js';
import type { ConsoleLine } from '../results/test-case.js';
import type { Shell } from '../spec/job-spec.js';
import type { ConsoleText } from './console-text.js';
import { DEFAULT_PROMPTS, fitsUBoot, typeCommand, type TypedCommand } from './shell.js';
import { MAX_OUTPUT_LENGTH } from './step-record.js';
import type { MutableRecord, Script, Wait, Wake } from './step-script.js';

/** How long a prompt must stand still before it is believed: programs print '# ' too, and then go on. */
export const PROMPT_QUIET_NS = 100e6;
/** After a command has ended, silence of this length is as good as a prompt: not every prompt is known. */
const SHELL_QUIET_NS = 500e6;

/** Takes what a command prints. */
export interface CommandOutput {
  character(character: string): void;
  line(line: ConsoleLine): void;
  /** What the kernel prints into one of its lines. */
  kernelLine?(line: ConsoleLine): void;
}

export interface ShellOptions {
  readonly shell?: Shell | undefined;
  /** Default: {@link DEFAULT_PROMPTS}. */
  readonly prompt?: string | undefined;
  /** Types text into a console. */
  send(console: string, text: string): void;
}

/** What commands need of the engine that walks the steps. */
export interface CommandEngine {
  /** Virtual time. */
  now(): number;
  text(console: string): ConsoleText;
  until(wait: Wait): Script<Wake>;
}

/** Commands of steps in the shells of a board's consoles. */
export class ShellCommands {
  private readonly shell: Shell;
  private readonly prompt: ConsolePattern;
  /** Consoles whose shell has answered a command. */
  private readonly alive = new Set<string>();
  private commandNumber = 1;

  /** @throws PatternError when the prompt does not compile */
  constructor(
    private readonly options: ShellOptions,
    private readonly engine: CommandEngine,
  ) {
    this.shell = options.shell ?? 'sh';
    this.prompt = new ConsolePattern(options.prompt ?? DEFAULT_PROMPTS[this.shell]);
  }

  /** The guest starts again: its shells are gone. */
  forget(): void {
    this.alive.clear();
  }

  /**
   * Runs a command in the shell on a step's console.
   * @returns its exit status; undefined when this shell cannot be given such a command
   */
  *run(record: MutableRecord, command: string, output: CommandOutput): Script<number | undefined> {
    const { shell } = this;
    if (shell === 'u-boot' && !fitsUBoot(command)) return undefined;
    const typed = typeCommand(shell, command, this.commandNumber);
    this.commandNumber += typed.length;
    let status = 0;
    for (const [index, line] of typed.entries()) {
      yield* this.shellReady(record.console);
      const last = index === typed.length - 1;
      status = yield* this.typedCommand(record, line, last ? output : undefined);
      this.alive.add(record.console);
      if (status !== 0 && !last) return status;
    }
    return status;
  }

  private *typedCommand(
    record: MutableRecord,
    command: TypedCommand,
    output: CommandOutput | undefined,
  ): Script<number> {
    const text = this.engine.text(record.console);
    let phase: 'echo' | 'begun' | 'output' = 'echo';
    let tail = '';
    let status = 0;
    record.output = '';
    this.options.send(record.console, command.text);
    yield* this.engine.until({
      console: record.console,
      user: (character) => {
        if (phase === 'begun') return false;
        tail = tail.length > 128 ? tail.slice(-64) + character : tail + character;
        if (phase === 'echo') {
          if (tail.endsWith(command.begin)) phase = 'begun';
          return false;
        }
        if (character !== '\r') record.output = appended(record.output ?? '', character);
        output?.character(character);
        const ending = character === ':' ? command.ending(tail) : undefined;
        if (!ending) return false;
        status = ending.status;
        record.output = record.output?.slice(0, -ending.length);
        // Output that does not end with a newline stands before the marker.
        const rest = text.openLine.slice(0, -ending.length);
        if (rest !== '') output?.line({ text: rest, tNs: this.engine.now(), line: text.line });
        return true;
      },
      userLine: (line) => {
        if (phase === 'begun') {
          phase = 'output';
          tail = '';
          if (output) record.lines = { first: text.line + 1, last: text.line + 1 };
        } else if (phase === 'output') output?.line(line);
        return false;
      },
      kernelLine: (line) => {
        if (phase === 'output') output?.kernelLine?.(line);
      },
    });
    return status;
  }

  /** Waits for the shell's prompt; a shell that has answered before may also just be silent. */
  private *shellReady(console: string): Script<void> {
    const text = this.engine.text(console);
    for (;;) {
      const quiet: Wait = {
        console,
        deadlineNs: this.engine.now() + PROMPT_QUIET_NS,
        user: () => {
          quiet.deadlineNs = this.engine.now() + PROMPT_QUIET_NS;
          return false;
        },
      };
      yield* this.engine.until(quiet);
      if (this.isPrompt(text.openLine)) return;
      const deadlineNs = this.alive.has(console) ? this.engine.now() + SHELL_QUIET_NS - PROMPT_QUIET_NS : Infinity;
      if ((yield* this.engine.until({ console, deadlineNs, user: () => true })) === 'due') return;
    }
  }

  private isPrompt(line: string): boolean {
    this.prompt.reset();
    let matches = false;
    for (const character of line.slice(-200)) matches = this.prompt.push(character);
    return matches;
  }
}

function appended(output: string, character: string): string {
  const longer = output + character;
  return longer.length > 2 * MAX_OUTPUT_LENGTH ? longer.slice(-MAX_OUTPUT_LENGTH) : longer;
}
