import { ClipboardCopy, ClipboardPaste, Lock, Maximize2, Minimize2, PlugZap, Ruler } from 'lucide-react';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import type { Job } from '../api/types.js';
import { outcomeLabel } from '../components/badge.js';
import { Segmented } from '../components/segmented.js';
import { useNow } from '../lib/use-now.js';
import type { ConsoleStream, StreamState } from './console-stream.js';
import { TerminalView, type TerminalHandle, type TerminalSize } from './terminal-view.js';
import { useActiveConsoles, useStreamState } from './use-console-stream.js';
import '../styles/console.css';

/** The job's consoles: a terminal per UART, the tools around it, and a line that says whether typing works. */
export function ConsolePanel({ job, stream, shown }: { job: Job; stream: ConsoleStream | undefined; shown: boolean }) {
  const state = useStreamState(stream);
  const active = useActiveConsoles(stream).split(' ');
  const [picked, setPicked] = useState<string>();
  const [size, setSize] = useState<TerminalSize>('fit');
  const [notice, setNotice] = useState<string>();
  const panel = useRef<HTMLDivElement>(null);
  const handles = useRef(new Map<string, TerminalHandle>());
  const fullscreen = useFullscreen(panel);

  const consoles = job.consoles.length > 0 ? job.consoles : ['uart0'];
  const uart = picked ?? consoles[0] ?? 'uart0';
  // A terminal measures its cells when it opens, so it opens when first seen; from then on it stays.
  const [opened, setOpened] = useState<readonly string[]>([]);
  if (shown && !opened.includes(uart)) setOpened([...opened, uart]);
  const canType = job.state === 'running' && state.kind === 'live';
  const handle = (): TerminalHandle | undefined => handles.current.get(uart);

  useEffect(() => {
    if (notice === undefined) return;
    const timer = setTimeout(() => setNotice(undefined), 4000);
    return () => clearTimeout(timer);
  }, [notice]);

  const copy = async (): Promise<void> => {
    const text = handle()?.selectedText() ?? '';
    if (text === '') {
      setNotice('Select text in the console first');
      return;
    }
    await navigator.clipboard.writeText(text);
    setNotice('Copied');
  };
  const paste = async (): Promise<void> => {
    try {
      handle()?.paste(await navigator.clipboard.readText());
    } catch {
      setNotice('The browser did not allow it: press Ctrl+V in the console instead');
    }
    handle()?.focus();
  };
  const tellSize = (): void => {
    const { columns, rows } = handle()?.size() ?? { columns: 80, rows: 24 };
    stream?.sendInput(uart, new TextEncoder().encode(`stty rows ${rows} cols ${columns}\r`));
    handle()?.focus();
  };

  return (
    <div ref={panel} className="console" hidden={!shown}>
      <div className="console-bar" role="toolbar" aria-label="Console tools">
        {consoles.length > 1 ? (
          <Segmented
            legend="Console"
            value={uart}
            options={consoles.map((name) => ({
              value: name,
              label: (
                <>
                  {name}
                  {active.includes(name) && <span className="console-active" title="has printed something" />}
                </>
              ),
            }))}
            onChange={setPicked}
          />
        ) : (
          <code className="muted">{uart}</code>
        )}
        <span className="console-spring" />
        <span className="console-tools">
          <Segmented
            legend="Terminal size"
            value={size}
            options={[
              { value: 'fit', label: 'Fit' },
              { value: '80x24', label: '80×24', title: 'What most guests assume of a serial console' },
            ]}
            onChange={setSize}
          />
          <ToolButton
            label="Tell the guest this size"
            title="Types “stty rows … cols …”, so that full-screen programs use the whole terminal"
            disabled={!canType}
            onClick={tellSize}
          >
            <Ruler size={15} aria-hidden />
          </ToolButton>
          <ToolButton label="Copy the selection" onClick={() => void copy()}>
            <ClipboardCopy size={15} aria-hidden />
          </ToolButton>
          <ToolButton label="Paste" disabled={!canType} onClick={() => void paste()}>
            <ClipboardPaste size={15} aria-hidden />
          </ToolButton>
          <ToolButton label={fullscreen.active ? 'Leave full screen' : 'Full screen'} onClick={fullscreen.toggle}>
            {fullscreen.active ? <Minimize2 size={15} aria-hidden /> : <Maximize2 size={15} aria-hidden />}
          </ToolButton>
        </span>
      </div>
      <div className="console-screen">
        {stream &&
          opened.map((name) => (
            <TerminalView
              key={name}
              stream={stream}
              uart={name}
              canType={canType}
              size={size}
              shown={shown && name === uart}
              onLeave={() => panel.current?.querySelector<HTMLElement>('.console-bar button:not(:disabled)')?.focus()}
              handle={(terminal) => {
                if (terminal) handles.current.set(name, terminal);
                else handles.current.delete(name);
              }}
            />
          ))}
        {job.state === 'queued' && (
          <div className="console-cover">
            <span className="spinner" aria-hidden />
            Waiting for a worker…
          </div>
        )}
      </div>
      <div
        className="console-status"
        role="status"
        data-tone={canType ? 'live' : state.kind === 'lost' ? 'lost' : 'quiet'}
      >
        <StatusLine job={job} state={state} stream={stream} />
        <span className="console-notice">{notice}</span>
      </div>
    </div>
  );
}

function ToolButton({
  label,
  title,
  disabled = false,
  onClick,
  children,
}: {
  label: string;
  title?: string;
  disabled?: boolean;
  onClick(): void;
  children: ReactNode;
}) {
  return (
    <button
      type="button"
      className="button quiet icon small"
      aria-label={label}
      title={title ?? label}
      disabled={disabled}
      onClick={onClick}
    >
      {children}
    </button>
  );
}

function StatusLine({ job, state, stream }: { job: Job; state: StreamState; stream: ConsoleStream | undefined }) {
  const now = useNow(500, state.kind === 'lost');
  if (state.kind === 'lost') {
    const seconds = Math.max(0, Math.ceil((state.retryAtMs - now.getTime()) / 1000));
    return (
      <>
        <PlugZap size={14} aria-hidden />
        <span>Connection lost. The job goes on; nothing it prints is lost. Next try in {seconds} s.</span>
        <RetryButton stream={stream} />
      </>
    );
  }
  if (state.kind === 'refused') {
    return (
      <>
        <PlugZap size={14} aria-hidden />
        <span>The lab closed this console: {state.detail}</span>
        <RetryButton stream={stream} />
      </>
    );
  }
  if (job.state === 'ended') {
    return (
      <>
        <Lock size={13} aria-hidden />
        <span>Read only: the job ended{job.outcome !== null && ` (${outcomeLabel(job.outcome).toLowerCase()})`}.</span>
      </>
    );
  }
  if (state.kind === 'connecting') return <span>Connecting…</span>;
  if (job.state === 'queued') return <span>Queued. The console opens when a worker takes the job.</span>;
  return (
    <>
      <span className="console-live" aria-hidden />
      <span>
        Live: type into the console. <kbd>Ctrl+F6</kbd> leads out of it.
      </span>
    </>
  );
}

function RetryButton({ stream }: { stream: ConsoleStream | undefined }) {
  return (
    <button type="button" className="button small" onClick={() => stream?.retryNow()}>
      Reconnect now
    </button>
  );
}

function useFullscreen(element: React.RefObject<HTMLElement | null>): { active: boolean; toggle(): void } {
  const [active, setActive] = useState(false);
  useEffect(() => {
    const update = (): void => setActive(document.fullscreenElement !== null);
    document.addEventListener('fullscreenchange', update);
    return () => document.removeEventListener('fullscreenchange', update);
  }, []);
  const toggle = (): void => {
    if (document.fullscreenElement) void document.exitFullscreen();
    else void element.current?.requestFullscreen();
  };
  return { active, toggle };
}
