import '@xterm/xterm/css/xterm.css';
import { FitAddon } from '@xterm/addon-fit';
import type { Terminal } from '@xterm/xterm';
import { useEffect, useImperativeHandle, useRef, type Ref } from 'react';
import type { ConsoleStream } from './console-stream.js';
import { TerminalFeed } from './terminal-feed.js';
import { createTerminal, TERMINAL_FONT } from './terminal.js';

/** Columns and rows of the terminal: as many as fit, or the size most serial consoles assume. */
export type TerminalSize = 'fit' | '80x24';

export interface TerminalHandle {
  focus(): void;
  /** As if typed from the clipboard: line ends become carriage returns, bracketed where the guest asked for it. */
  paste(text: string): void;
  selectedText(): string;
  scrollToBottom(): void;
  size(): { columns: number; rows: number };
}

const FONT_LOAD_LIMIT_MS = 1500;

/** One console of a job as a live terminal. Everything printed so far is replayed into it first. */
export function TerminalView({
  stream,
  uart,
  canType,
  size,
  shown,
  onLeave,
  handle,
}: {
  stream: ConsoleStream;
  uart: string;
  canType: boolean;
  size: TerminalSize;
  shown: boolean;
  /** The person pressed the keys that lead out of the terminal, which takes Tab for itself. */
  onLeave(): void;
  handle: Ref<TerminalHandle>;
}) {
  const host = useRef<HTMLDivElement>(null);
  const terminal = useRef<Terminal>(undefined);
  const fit = useRef<() => void>(() => undefined);
  const sizing = useRef(size);
  const leave = useRef(onLeave);
  const typing = useRef(canType);

  useEffect(() => {
    leave.current = onLeave;
  }, [onLeave]);

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    // A question from the guest is answered only where the person has typed since the replay: never by a mere watcher,
    // never for a question out of the past.
    let typed = false;
    const created = createTerminal(() => typed && typing.current);
    const fitter = new FitAddon();
    created.loadAddon(fitter);
    const encoder = new TextEncoder();
    created.onData((text) => stream.sendInput(uart, encoder.encode(text)));
    created.onBinary((text) =>
      stream.sendInput(
        uart,
        Uint8Array.from(text, (character) => character.charCodeAt(0)),
      ),
    );
    created.onKey(() => {
      typed = true;
    });
    created.attachCustomKeyEventHandler((event) => {
      if (event.key === 'F6' && event.ctrlKey) {
        if (event.type === 'keydown') leave.current();
        return false;
      }
      if (event.key === 'Tab' && !typing.current) return false; // leads on, as nobody takes it
      // Ctrl+Shift+C and V are the browser's and the buttons', not the guest's.
      return !(event.ctrlKey && event.shiftKey && (event.code === 'KeyC' || event.code === 'KeyV'));
    });
    fit.current = () => {
      if (element.clientWidth === 0) return;
      if (sizing.current === 'fit') fitter.fit();
      else created.resize(80, 24);
    };

    let feed: TerminalFeed | undefined;
    let observer: ResizeObserver | undefined;
    let disposed = false;
    const open = (): void => {
      if (disposed) return;
      created.open(element);
      fit.current();
      observer = new ResizeObserver(() => fit.current());
      observer.observe(element);
      feed = new TerminalFeed(stream, uart, created);
      created.focus();
    };
    // The cell size is measured once, when the terminal opens: the font must be there by then.
    const fontOrTime = Promise.race([
      document.fonts.load(`13px ${TERMINAL_FONT}`),
      new Promise((resolve) => setTimeout(resolve, FONT_LOAD_LIMIT_MS)),
    ]);
    void fontOrTime.then(open, open);
    terminal.current = created;
    return () => {
      disposed = true;
      observer?.disconnect();
      feed?.close();
      created.dispose();
      terminal.current = undefined;
    };
  }, [stream, uart]);

  useEffect(() => {
    typing.current = canType;
    const current = terminal.current;
    if (!current) return;
    current.options.disableStdin = !canType;
    current.options.cursorBlink = canType;
  }, [canType, stream, uart]);

  useEffect(() => {
    sizing.current = size;
    fit.current();
  }, [size]);

  useEffect(() => {
    if (!shown) return;
    fit.current();
    terminal.current?.focus();
  }, [shown]);

  useImperativeHandle(
    handle,
    () => ({
      focus: () => terminal.current?.focus(),
      paste: (text) => terminal.current?.paste(text),
      selectedText: () => terminal.current?.getSelection() ?? '',
      scrollToBottom: () => terminal.current?.scrollToBottom(),
      size: () => ({ columns: terminal.current?.cols ?? 80, rows: terminal.current?.rows ?? 24 }),
    }),
    [],
  );

  return <div ref={host} className="terminal-host" data-size={size} data-uart={uart} hidden={!shown} />;
}
