import { spawn } from 'node:child_process';

export interface ProcessOptions {
  /** Host milliseconds after which the process is killed. */
  timeoutMs: number;
  /** Written to its standard input, which is then closed. Default: nothing. */
  input?: string;
  /** Moments to time: the first output that matches each expression. */
  marks?: Readonly<Record<string, RegExp>>;
  cwd?: string;
  env?: NodeJS.ProcessEnv;
}

export interface ProcessRun {
  /** Standard output, decoded as UTF-8. */
  output: string;
  errors: string;
  /** Exit status, undefined when a signal ended it. */
  exitCode: number | undefined;
  timedOut: boolean;
  /** From start to exit, in host milliseconds. */
  wallMs: number;
  /** Host milliseconds from start to each mark that was seen. */
  marks: Record<string, number>;
}

/** Runs a program to its end, or kills it at the time-out. Rejects only when it cannot be started. */
export function runProcess(program: string, args: readonly string[], options: ProcessOptions): Promise<ProcessRun> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const elapsed = (): number => performance.now() - startedAt;
    const child = spawn(program, args, { cwd: options.cwd, env: options.env ?? process.env });
    const pending = new Map(Object.entries(options.marks ?? {}));
    const marks: Record<string, number> = {};
    let output = '';
    let errors = '';
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, options.timeoutMs);

    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      // A mark may straddle two chunks, so look back over the last line or so, never over the whole output.
      const lookBack = Math.max(0, output.length - 200);
      output += text;
      for (const [name, expression] of pending) {
        if (!expression.test(output.slice(lookBack))) continue;
        marks[name] = elapsed();
        pending.delete(name);
      }
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    child.stdin.on('error', () => undefined); // the program may end before it read its input: that is its own choice
    child.stdin.end(options.input ?? '');
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on('close', (exitCode) => {
      clearTimeout(timer);
      resolve({ output, errors, exitCode: exitCode ?? undefined, timedOut, wallMs: elapsed(), marks });
    });
  });
}
