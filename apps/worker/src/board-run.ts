import { readFile } from 'node:fs/promises';
import {
  createMachine,
  runMachine,
  type BlockBackend,
  type EngineOptions,
  type Machine,
  type MachineConfig,
} from '@bootlab/emulator';
import { BoardFiles } from '@bootlab/emulator/backends';
import { shrinkHeap } from '@bootlab/emulator/threads';
import { JobRun, type UploadFile } from '@bootlab/lab';
import { leaveArtifacts, NO_ARTIFACTS } from './artifacts.js';
import { ConsolePost } from './console-post.js';
import { ResultFeed } from './result-feed.js';
import type { BoardTask, ConsoleCredit, FromBoard, ToBoard } from './protocol.js';

/** Host time between two reports of how far the run has come, and of steps and results. */
const PROGRESS_MS = 1000;
const FINDINGS_MS = 200;

interface Board {
  /** Makes the machine, as often as it is switched on, always with the same drives. */
  make(): Promise<Machine>;
  readonly drives: readonly BlockBackend[];
  /** Closes the files of images and drives. */
  close(): void;
}

function openBoard(task: BoardTask, engine: EngineOptions): Board {
  const { board, cpu, memoryBytes, cmdline } = task;
  const { kernel, initrd, firmware, drives: bases = [] } = task.files;
  const files = new BoardFiles();
  const drives = bases.map((file) => files.drive(file));
  const config: MachineConfig = {
    board,
    cpu,
    memoryBytes,
    cmdline,
    kernel: files.image(kernel),
    initrd: files.image(initrd),
    firmware: files.image(firmware),
    drives,
  };
  return { make: () => createMachine(config, engine), drives, close: () => files.close() };
}

async function readUploads({ uploads = [] }: BoardTask): Promise<Map<string, UploadFile>> {
  const files = await Promise.all(
    uploads.map(async ({ reference, file, sha256 }) => [reference, { bytes: await readFile(file), sha256 }] as const),
  );
  return new Map(files);
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
 * Runs one board to its end inside its thread. An error leaves open what it had opened: it is the thread's end, too.
 * @param engine what runs the CPU; results never depend on it
 * @param post hands a message to the host
 * @param listen registers for messages from the host
 * @returns bytes of guest memory that it took, which lie about until garbage is collected
 */
export async function runBoard(
  task: BoardTask,
  engine: EngineOptions,
  credit: ConsoleCredit,
  post: (message: FromBoard) => void,
  listen: (listener: (message: ToBoard) => void) => void,
): Promise<number> {
  const board = openBoard(task, engine);
  let leftBytes = 0;
  let machine = await board.make();
  const remake = async (): Promise<Machine> => {
    leftBytes += machine.ramWrittenBytes;
    return (machine = await board.make());
  };
  const uploads = await readUploads(task);
  const consoles = new ConsolePost(credit, post);
  const wake = new InputWake((ms) => {
    consoles.advance(run.nowNs + ms * 1e6);
    postProgress(run.nowNs);
  });
  let reported = performance.now();
  let findingsReported = reported;
  const feed = new ResultFeed(task.failOn);
  const postProgress = (nowNs: number): void => {
    const nowMs = performance.now();
    const due = nowMs - reported >= PROGRESS_MS;
    if (!due && (!feed.changed || nowMs - findingsReported < FINDINGS_MS)) return;
    reported = nowMs;
    findingsReported = nowMs;
    post({ type: 'progress', virtualNs: nowNs, instructions: run.instructions, ...feed.take() });
  };
  const run = new JobRun<Machine>({
    machine,
    rebuild: remake,
    runMachine,
    steps: task.steps ?? [],
    shell: task.shell,
    prompt: task.prompt,
    onReboot: task.onReboot,
    failOn: task.failOn,
    uploads,
    clock: task.clock,
    timeoutNs: task.timeoutNs,
    wallGuardMs: task.wallGuardMs,
    consoleLimitBytes: task.consoleLimitBytes,
    wake,
    onConsole: ({ uart, tNs, data }) => consoles.push(uart, tNs, data),
    onSlice: (nowNs) => {
      consoles.advance(nowNs);
      postProgress(nowNs);
    },
    onIdle: shrinkHeap,
    onStep: (record) => feed.step(record),
    onKernelEvent: (event) => feed.kernel(event),
  });
  listen((message) => {
    if (message.type === 'abort') run.stop();
    else run.type(message.uart, message.data);
    wake.now();
  });
  const report = await run.run();
  run.close();
  consoles.flush();
  const left = report.end.kind === 'aborted' ? NO_ARTIFACTS : await leaveArtifacts(task, board);
  board.close();
  post({ type: 'end', report, results: feed.rest(report), ...left });
  return leftBytes + machine.ramWrittenBytes;
}
