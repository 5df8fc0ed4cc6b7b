import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ServerMessage } from '../api/types.js';
import { ConsoleStream, type Socket } from './console-stream.js';

class FakeSocket implements Socket {
  onopen: Socket['onopen'] = null;
  onmessage: Socket['onmessage'] = null;
  onclose: Socket['onclose'] = null;
  readonly sent: unknown[] = [];
  closed = false;

  send(data: string): void {
    this.sent.push(JSON.parse(data));
  }

  close(): void {
    this.closed = true;
  }

  accept(): void {
    this.onopen?.(new Event('open'));
  }

  says(message: ServerMessage | { type: 'ready' | 'job'; job: object }): void {
    this.onmessage?.(new MessageEvent('message', { data: JSON.stringify(message) }));
  }

  breaks(): void {
    this.onclose?.(new Event('close') as CloseEvent);
  }
}

const job = { id: 'j', state: 'running' };
const chunk = (seq: number, text: string, uart = 'uart0') =>
  ({ type: 'chunk', seq, uart, t: seq * 10, data: btoa(text) }) as const;

describe('ConsoleStream', () => {
  let sockets: FakeSocket[];
  let jobs: unknown[];
  let stream: ConsoleStream;
  const last = (): FakeSocket => {
    const socket = sockets.at(-1);
    if (!socket) throw new Error('the stream has opened no socket');
    return socket;
  };

  beforeEach(() => {
    jest.useFakeTimers();
    sockets = [];
    jobs = [];
    stream = new ConsoleStream({
      jobId: 'j',
      project: 'kernel',
      onJob: (changed) => jobs.push(changed),
      openSocket: () => {
        const socket = new FakeSocket();
        sockets.push(socket);
        return socket;
      },
    });
    stream.open();
    last().accept();
  });

  afterEach(() => {
    stream.close();
    jest.useRealTimers();
  });

  it('signs in first, asks for everything, keeps what comes', () => {
    expect(last().sent).toEqual([{ type: 'auth', project: 'kernel', from: 0 }]);
    last().says({ type: 'ready', job });
    last().says(chunk(0, 'hello'));
    expect(stream.state).toEqual({ kind: 'live' });
    expect(jobs).toEqual([job]);
    expect(stream.chunks.map(({ data }) => new TextDecoder().decode(data))).toEqual(['hello']);
    expect(stream.activeConsoles).toBe('uart0');
  });

  it('resumes after the last chunk it has, and takes repeated chunks once', () => {
    last().says({ type: 'ready', job });
    last().says(chunk(0, 'a'));
    last().says(chunk(1, 'b'));
    last().breaks();
    expect(stream.state.kind).toBe('lost');
    jest.advanceTimersByTime(500);
    expect(sockets).toHaveLength(2);
    last().accept();
    expect(last().sent).toEqual([{ type: 'auth', project: 'kernel', from: 2 }]);
    last().says(chunk(1, 'b'));
    last().says(chunk(2, 'c'));
    expect(stream.chunks.map(({ seq }) => seq)).toEqual([0, 1, 2]);
  });

  it('waits longer from try to try, and starts anew after a success', () => {
    const tries = (ms: number): number => {
      const before = sockets.length;
      jest.advanceTimersByTime(ms);
      return sockets.length - before;
    };
    last().breaks();
    expect(tries(500)).toBe(1);
    last().breaks();
    expect(tries(500)).toBe(0);
    expect(tries(500)).toBe(1);
    last().says({ type: 'ready', job });
    last().breaks();
    expect(tries(500)).toBe(1);
  });

  it('types only while connected, in frames of bounded size', () => {
    expect(stream.sendInput('uart0', new Uint8Array(1))).toBe(false);
    last().says({ type: 'ready', job });
    expect(stream.sendInput('uart1', new Uint8Array(10_000))).toBe(true);
    const frames = last().sent.slice(1) as { type: string; uart: string; data: string }[];
    expect(frames.map(({ data }) => atob(data).length)).toEqual([4096, 4096, 1808]);
    expect(frames.every(({ type, uart }) => type === 'input' && uart === 'uart1')).toBe(true);
  });

  it('ends with the job and does not come back', () => {
    last().says({ type: 'ready', job });
    last().says({ type: 'end' });
    expect(stream.state).toEqual({ kind: 'ended' });
    expect(last().closed).toBe(true);
    jest.advanceTimersByTime(60_000);
    expect(sockets).toHaveLength(1);
  });

  it('does not insist when the lab refuses, until asked to', () => {
    last().says({ type: 'error', detail: 'Nobody is signed in' });
    last().breaks();
    jest.advanceTimersByTime(60_000);
    expect(stream.state).toEqual({ kind: 'refused', detail: 'Nobody is signed in' });
    stream.retryNow();
    expect(sockets).toHaveLength(2);
  });
});
