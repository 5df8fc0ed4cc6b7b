import { readFile } from 'node:fs/promises';
import { createMachine, runMachine, type Machine, type MachineEnd } from '@bootlab/emulator';
import { CopyOnWriteOverlay, openRawImage } from '@bootlab/emulator/backends';
import { ConsoleCoalescer, StepRunner, type ConsoleSpan, type RunEnd } from '@bootlab/lab';
import type { BoardTask, ConsoleCredit, FromBoard, RunReport, ToBoard } from './protocol.js';

const POST_BYTES = 64 * 1024;
const PROGRESS_MS = 1000;

/** Makes the machine that a task describes. */
async function machineFor(task: BoardTask): Promise<Machine> {
  const image = (file: string | undefined): Promise<Uint8Array | undefined> =>
    file === undefined ? Promise.resolve(undefined) : readFile(file);
  const [kernel, initrd, firmware] = await Promise.all([
    image(task.files.kernel),
    image(task.files.initrd),
    image(task.files.firmware),
  ]);
  return createMachine({
    board: task.board,
    ...(task.cpu !== undefined && { cpu: task.cpu }),
    ...(task.memoryBytes !== undefined && { memoryBytes: task.memoryBytes }),
    ...(task.cmdline !== undefined && { cmdline: task.cmdline }),
    ...(kernel && { kernel }),
    ...(initrd && { initrd }),
    ...(firmware && { firmware }),
    // Images are immutable: what the guest writes stays in the overlay and ends with the board.
    drives: task.files.drives.map((file) => new CopyOnWriteOverlay(openRawImage(file, { readOnly: true }))),
  });
}

/** Waits for host time to pass, or for input, whichever is first. */
class InputWake {
  private resolve: (() => void) | undefined;

  constructor(private readonly beforeWait: (ms: number) => void) {}

  async wait(ms: number): Promise<void> {
    this.beforeWait(ms);
    await new Promise<void>((resolve) => {
      // Timers take 31 bits of milliseconds; an event further away is waited for in several turns.
      const timer = setTimeout(resolve, Math.min(Math.max(ms, 0), 2 ** 31 - 1));
      this.resolve = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.resolve = undefined;
  }

  now(): void {
    this.resolve?.();
  }
}

/**
 * Runs one board to its end inside its thread.
 * @param post hands a message to the host
 * @param listen registers for messages from the host
 */
export async function runBoard(
  task: BoardTask,
  credit: ConsoleCredit,
  post: (message: FromBoard) => void,
  listen: (listener: (message: ToBoard) => void) => void,
): Promise<void> {
  const machine = await machineFor(task);
  const abort = new AbortController();
  let cause: RunEnd = { kind: 'aborted' };
  const stop = (why: RunEnd): void => {
    if (abort.signal.aborted) return;
    cause = why;
    abort.abort();
  };

  let spans: ConsoleSpan[] = [];
  let pendingBytes = 0;
  let printedBytes = 0;
  const postConsole = (): void => {
    if (spans.length === 0) return;
    const sizeBytes = pendingBytes;
    post({ type: 'console', spans, sizeBytes });
    spans = [];
    pendingBytes = 0;
    credit.spend(sizeBytes);
  };
  const coalescer = new ConsoleCoalescer((span) => {
    spans.push(span);
    pendingBytes += span.data.length;
    if (pendingBytes >= POST_BYTES) postConsole();
  });
  const primary = machine.consoles[0]?.name ?? 'uart0';
  const encoder = new TextEncoder();
  const steps = new StepRunner(task.steps, (text) => machine.sendConsole(primary, encoder.encode(text)));

  machine.onConsole(({ uart, tNs, data }) => {
    // A run ends at the byte that ended it, not somewhere in the slice after it.
    if (abort.signal.aborted) return;
    coalescer.push(uart, tNs, data);
    printedBytes += data.length;
    if (printedBytes > task.consoleLimitBytes) {
      stop({ kind: 'console-limit', limitBytes: task.consoleLimitBytes });
    }
    if (uart !== primary) return;
    steps.feed(data, tNs);
    if (steps.endsRun) stop({ kind: 'steps-done' });
  });
  const wake = new InputWake((ms) => {
    coalescer.advance(machine.nowNs + ms * 1e6);
    postConsole();
  });
  listen((message) => {
    if (message.type === 'abort') stop({ kind: 'aborted' });
    else machine.sendConsole(message.uart, message.data);
    wake.now();
  });

  let reported = performance.now();
  steps.start(machine.nowNs);
  const end = await runMachine(machine, {
    clock: task.clock,
    timeoutNs: task.timeoutNs,
    wallGuardMs: task.wallGuardMs,
    signal: abort.signal,
    wake,
    onSlice: (nowNs) => {
      coalescer.advance(nowNs);
      postConsole();
      if (performance.now() - reported < PROGRESS_MS) return;
      reported = performance.now();
      post({ type: 'progress', virtualNs: nowNs, instructions: machine.stats().instructions });
    },
  });
  coalescer.flush();
  postConsole();
  post({ type: 'end', report: await reportOf(machine, steps, end, abort.signal.aborted ? cause : undefined) });
}

/** @param cause why we told the machine to stop; undefined when we did not */
async function reportOf(
  machine: Machine,
  steps: StepRunner,
  end: MachineEnd,
  cause: RunEnd | undefined,
): Promise<RunReport> {
  // The machine may have come to an end of its own in the slice in which we stopped it: what came first counts. Only
  // a cancellation, which comes from outside virtual time, gives way.
  const stoppedFirst = cause !== undefined && (cause.kind !== 'aborted' || end.kind === 'aborted');
  const { instructions, virtualNs } = machine.stats();
  const reproducible = cause === undefined && end.kind !== 'wall-guard';
  return {
    end: stoppedFirst ? cause : end.kind === 'aborted' ? { kind: 'aborted' } : end,
    steps: steps.records,
    virtualNs,
    instructions,
    ramSha256: reproducible ? await machine.ramSha256() : undefined,
  };
}
