import { ArrowDownToLine, ChevronDown, ChevronUp, Download, Search } from 'lucide-react';
import { useEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import { useSearchParams } from 'react-router';
import { download } from '../api/client.js';
import type { Job } from '../api/types.js';
import { Empty } from '../components/feedback.js';
import type { ConsoleStream } from '../console/console-stream.js';
import { LogLines, type LogLine } from '../console/log-lines.js';
import { formatVirtualTimestamp } from '../lib/format.js';
import '../styles/log.css';

const ROW_PX = 20;
/** Rows drawn above and below what is visible, so that fast scrolling shows no gaps. */
const OVERSCAN_ROWS = 30;
const GATHER_MS = 80;
/** A large log is taken in turns of this size, between which the page stays responsive. */
const BYTES_PER_TURN = 2 ** 20;

/** Everything the consoles printed, by line and virtual time: searched, linked to, downloaded. */
export function LogPanel({ job, stream }: { job: Job; stream: ConsoleStream | undefined }) {
  const lines = useLogLines(stream);
  const [search, setSearch] = useSearchParams();
  const [uart, setUart] = useState('');
  const [query, setQuery] = useState('');
  const [match, setMatch] = useState(0);
  const [follow, setFollow] = useState(job.state !== 'ended');
  const [failure, setFailure] = useState<string>();

  const marked = Number(search.get('line') ?? NaN);
  const shown = useMemo(
    () =>
      uart === ''
        ? lines.map((_, index) => index)
        : lines.flatMap((line, index) => (line.uart === uart ? [index] : [])),
    [lines, uart],
  );
  const matches = useMemo(() => {
    const wanted = query.toLowerCase();
    if (wanted === '') return [];
    return shown.flatMap((index, row) => (lines[index]?.text.toLowerCase().includes(wanted) ? [row] : []));
  }, [lines, shown, query]);
  const current = matches.length === 0 ? undefined : matches[match % matches.length];
  const markedRow = Number.isNaN(marked) ? undefined : shown.indexOf(marked - 1);

  const step = (by: number): void => {
    setFollow(false);
    if (matches.length > 0) setMatch((match + by + matches.length) % matches.length);
  };
  const save = (format: 'text' | 'jsonl'): void => {
    setFailure(undefined);
    const consoleOnly = uart === '' ? '' : `&uart=${encodeURIComponent(uart)}`;
    const path = `/jobs/${encodeURIComponent(job.id)}/log?format=${format}${consoleOnly}`;
    download(path, `${job.id}.${format === 'text' ? 'log' : 'jsonl'}`).catch((error: unknown) =>
      setFailure(error instanceof Error ? error.message : String(error)),
    );
  };

  return (
    <div className="log">
      <div className="log-bar" role="toolbar" aria-label="Log tools">
        <form
          className="log-search"
          role="search"
          onSubmit={(event) => {
            event.preventDefault();
            step(1);
          }}
        >
          <Search size={15} aria-hidden />
          <input
            className="input small"
            type="search"
            placeholder="Search the log"
            aria-label="Search the log"
            value={query}
            onChange={(event) => {
              setQuery(event.target.value);
              setMatch(0);
              setFollow(false);
            }}
          />
          <span className="log-count tabular" role="status">
            {query !== '' &&
              (matches.length === 0 ? 'No match' : `${(match % matches.length) + 1} of ${matches.length}`)}
          </span>
          <button
            type="button"
            className="button quiet icon small"
            aria-label="Previous match"
            disabled={matches.length === 0}
            onClick={() => step(-1)}
          >
            <ChevronUp size={15} aria-hidden />
          </button>
          <button
            type="submit"
            className="button quiet icon small"
            aria-label="Next match"
            disabled={matches.length === 0}
          >
            <ChevronDown size={15} aria-hidden />
          </button>
        </form>
        <span className="console-spring" />
        {job.consoles.length > 1 && (
          <select
            className="input small log-uart"
            aria-label="Console"
            value={uart}
            onChange={(event) => setUart(event.target.value)}
          >
            <option value="">All consoles</option>
            {job.consoles.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
        {job.state !== 'ended' && (
          <button type="button" className="button small" aria-pressed={follow} onClick={() => setFollow(!follow)}>
            <ArrowDownToLine size={14} aria-hidden />
            Follow
          </button>
        )}
        <button
          type="button"
          className="button small"
          onClick={() => save('text')}
          title="The consoles' bytes as they came"
        >
          <Download size={14} aria-hidden />
          Text
        </button>
        <button
          type="button"
          className="button small"
          onClick={() => save('jsonl')}
          title="JSON lines with UART and virtual time"
        >
          <Download size={14} aria-hidden />
          JSON
        </button>
      </div>
      {failure !== undefined && (
        <p className="field-error" role="alert">
          The download failed: {failure}
        </p>
      )}
      {lines.length === 0 ? (
        <Empty icon={undefined} title="Nothing printed yet">
          <p>
            {job.state === 'ended'
              ? 'The job ended without a byte on any console.'
              : 'Lines appear here as the guest prints them.'}
          </p>
        </Empty>
      ) : (
        <Rows
          rows={shown}
          lines={lines}
          query={query}
          current={current}
          marked={markedRow}
          follow={follow}
          showUart={uart === '' && job.consoles.length > 1}
          onLeaveEnd={() => setFollow(false)}
          onMark={(line) => setSearch({ line: String(line) }, { replace: true, preventScrollReset: true })}
        />
      )}
    </div>
  );
}

/** Only the rows in view are in the page: a log may have a million lines. */
function Rows({
  rows,
  lines,
  query,
  current,
  marked,
  follow,
  showUart,
  onLeaveEnd,
  onMark,
}: {
  rows: readonly number[];
  lines: readonly LogLine[];
  query: string;
  current: number | undefined;
  marked: number | undefined;
  follow: boolean;
  showUart: boolean;
  onLeaveEnd(): void;
  onMark(line: number): void;
}) {
  const scroller = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 800 });

  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const update = (): void => setView({ top: element.scrollTop, height: element.clientHeight });
    const observer = new ResizeObserver(update);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    if (follow) scroller.current?.scrollTo({ top: rows.length * ROW_PX });
  }, [follow, rows.length]);
  const target = current ?? marked;
  useEffect(() => {
    const element = scroller.current;
    if (!element || target === undefined || target < 0) return;
    const top = target * ROW_PX;
    if (top < element.scrollTop || top > element.scrollTop + element.clientHeight - 2 * ROW_PX) {
      element.scrollTo({ top: top - element.clientHeight / 2 });
    }
  }, [target]);

  const first = Math.max(0, Math.floor(view.top / ROW_PX) - OVERSCAN_ROWS);
  const last = Math.min(rows.length, Math.ceil((view.top + view.height) / ROW_PX) + OVERSCAN_ROWS);
  return (
    <div
      ref={scroller}
      className="log-lines"
      tabIndex={0}
      role="region"
      aria-label="Log lines"
      onWheel={(event) => event.deltaY < 0 && onLeaveEnd()}
      onScroll={(event) => setView({ top: event.currentTarget.scrollTop, height: event.currentTarget.clientHeight })}
    >
      <div className="log-canvas" style={{ height: rows.length * ROW_PX }}>
        <ol style={{ transform: `translateY(${first * ROW_PX}px)` }}>
          {rows.slice(first, last).map((index, offset) => {
            const line = lines[index];
            if (!line) return null;
            const row = first + offset;
            return (
              <li
                key={index}
                className="log-row"
                data-current={row === current || undefined}
                data-marked={row === marked || undefined}
              >
                <button
                  type="button"
                  className="log-number tabular"
                  tabIndex={-1}
                  title="Link to this line"
                  onClick={() => onMark(index + 1)}
                >
                  {index + 1}
                </button>
                <span className="log-time">{formatVirtualTimestamp(line.tNs)}</span>
                {showUart && <span className="log-source">{line.uart}</span>}
                <span className="log-text">{highlight(line.text, query)}</span>
              </li>
            );
          })}
        </ol>
      </div>
    </div>
  );
}

function highlight(text: string, query: string): ReactNode {
  if (query === '') return text;
  const haystack = text.toLowerCase();
  const needle = query.toLowerCase();
  const parts: ReactNode[] = [];
  let from = 0;
  // Lower-casing changes the length of a few letters; such a line is shown without marks rather than with wrong ones.
  if (haystack.length !== text.length) return text;
  for (let at = haystack.indexOf(needle); at >= 0; at = haystack.indexOf(needle, from)) {
    parts.push(text.slice(from, at), <mark key={at}>{text.slice(at, at + needle.length)}</mark>);
    from = at + needle.length;
  }
  parts.push(text.slice(from));
  return parts;
}

/** The stream's chunks as lines, gathered for a moment: a busy console brings hundreds of chunks a second. */
function useLogLines(stream: ConsoleStream | undefined): readonly LogLine[] {
  const [lines, setLines] = useState<readonly LogLine[]>([]);
  useEffect(() => {
    if (!stream) return;
    const model = new LogLines();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const update = (): void => {
      timer = undefined;
      const { changed, more } = model.take(stream.chunks, BYTES_PER_TURN);
      if (changed) setLines([...model.lines]);
      if (more) timer = setTimeout(update, 0);
    };
    update();
    const unsubscribe = stream.subscribe(() => {
      timer ??= setTimeout(update, GATHER_MS);
    });
    return () => {
      unsubscribe();
      clearTimeout(timer);
    };
  }, [stream]);
  return lines;
}
