import { readFile } from 'node:fs/promises';
import { createMachine, runMachine, type EngineOptions, type Machine } from '@bootlab/emulator';
import { CopyOnWriteOverlay, openRawImage } from '@bootlab/emulator/backends';
import { translateInThread } from '@bootlab/emulator/threads';
import { ConsoleCoalescer, JobRun, type ConsoleSpan } from '@bootlab/lab';
import type { BoardTask, ConsoleCredit, FromBoard, ToBoard } from './protocol.js';

const POST_BYTES = 64 * 1024;
const PROGRESS_MS = 1000;

/** Reads a task's images once. @returns makes the machine, as often as it is switched on, always with the same drives */
async function machineMaker(task: BoardTask, engine: EngineOptions): Promise<() => Promise<Machine>> {
  const image = (file: string | undefined): Promise<Uint8Array | undefined> =>
    file === undefined ? Promise.resolve(undefined) : readFile(file);
  const [kernel, initrd, firmware] = await Promise.all([
    image(task.files.kernel),
    image(task.files.initrd),
    image(task.files.firmware),
  ]);
  // Images are immutable: what the guest writes stays in the overlay and ends with the board.
  const drives = task.files.drives.map((file) => new CopyOnWriteOverlay(openRawImage(file, { readOnly: true })));
  return () =>
    createMachine(
      {
        board: task.board,
        ...(task.cpu !== undefined && { cpu: task.cpu }),
        ...(task.memoryBytes !== undefined && { memoryBytes: task.memoryBytes }),
        ...(task.cmdline !== undefined && { cmdline: task.cmdline }),
        ...(kernel && { kernel }),
        ...(initrd && { initrd }),
        ...(firmware && { firmware }),
        drives,
      },
      engine,
    );
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
 * @param engine what runs the CPU; results never depend on it
 */
export async function runBoard(
  task: BoardTask,
  credit: ConsoleCredit,
  post: (message: FromBoard) => void,
  listen: (listener: (message: ToBoard) => void) => void,
  engine: EngineOptions = { translationService: translateInThread },
): Promise<void> {
  const makeMachine = await machineMaker(task, engine);
  let spans: ConsoleSpan[] = [];
  let pendingBytes = 0;
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
  const wake = new InputWake((ms) => {
    coalescer.advance(run.nowNs + ms * 1e6);
    postConsole();
  });
  let reported = performance.now();
  const run = new JobRun<Machine>({
    machine: await makeMachine(),
    rebuild: makeMachine,
    runMachine,
    steps: task.steps,
    shell: task.shell,
    prompt: task.prompt,
    onReboot: task.onReboot,
    failOn: task.failOn,
    clock: task.clock,
    timeoutNs: task.timeoutNs,
    wallGuardMs: task.wallGuardMs,
    consoleLimitBytes: task.consoleLimitBytes,
    wake,
    onConsole: ({ uart, tNs, data }) => coalescer.push(uart, tNs, data),
    onSlice: (nowNs) => {
      coalescer.advance(nowNs);
      postConsole();
      if (performance.now() - reported < PROGRESS_MS) return;
      reported = performance.now();
      post({ type: 'progress', virtualNs: nowNs, instructions: run.instructions });
    },
  });
  listen((message) => {
    if (message.type === 'abort') run.stop();
    else run.type(message.uart, message.data);
    wake.now();
  });
  const report = await run.run();
  run.close();
  coalescer.flush();
  postConsole();
  post({ type: 'end', report });
}
