import { ArrowDownToLine, ChevronDown, ChevronRight, ChevronUp, Download, FoldVertical, Search } from 'lucide-react';
import { memo, useDeferredValue, useEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import { flushSync } from 'react-dom';
import { useSearchParams } from 'react-router';
import { download } from '../api/client.js';
import type { Job, JobStep } from '../api/types.js';
import { Empty } from '../components/feedback.js';
import type { ConsoleStream } from '../console/console-stream.js';
import { LogLines, type LogLine } from '../console/log-lines.js';
import { formatDurationNs, formatVirtualTimestamp } from '../lib/format.js';
import { levelOf, LogRows, parseLineRange, ScrollScale } from './log-rows.js';
import { StepIcon, stepName } from './step-list.js';
import '../styles/log.css';

const ROW_PX = 20;
/** Rows drawn above and below what is visible: a few frames of slow scrolling need no new ones. */
const OVERSCAN_ROWS = 4;
const GATHER_MS = 80;
/** A large log is taken in turns of this size, between which the page stays responsive. */
const BYTES_PER_TURN = 2 ** 20;
/** So near the end, a person is at the end. */
const AT_END_PX = 2 * ROW_PX;

/** In an address: no console in particular. No board has one of this name. */
const ALL = 'all';

/** Everything the consoles printed, by line and virtual time: folded by step, searched, linked to, downloaded. */
export function LogPanel({ job, stream }: { job: Job; stream: ConsoleStream | undefined }) {
  const { model, version } = useLogLines(stream);
  const [search, setSearch] = useSearchParams();
  const [query, setQuery] = useState('');
  const [match, setMatch] = useState(0);
  const [follow, setFollow] = useState(job.state !== 'ended' && search.get('line') === null);
  const [folded, setFolded] = useState<ReadonlySet<number>>(new Set());
  const [failure, setFailure] = useState<string>();
  const wanted = useDeferredValue(query.toLowerCase());

  const marked = parseLineRange(search.get('line'));
  const chosen = search.get('console') ?? job.consoles[0] ?? ALL;
  const uart = chosen === ALL ? '' : chosen;
  const lines = uart === '' ? model.lines : model.of(uart);
  const steps = useMemo(
    () => job.steps.filter((step) => uart !== '' && (step.console ?? job.consoles[0]) === uart && step.lines !== null),
    [job.steps, job.consoles, uart],
  );
  const rows = useMemo(() => {
    void version; // the lines are one growing list
    return new LogRows(lines, steps, folded);
  }, [lines, version, steps, folded]);
  const matches = useMemo(() => {
    void version;
    if (wanted === '') return [];
    const found: number[] = [];
    lines.forEach((line, index) => {
      if (line.text.toLowerCase().includes(wanted)) found.push(index);
    });
    return found;
  }, [lines, version, wanted]);
  const current = matches.length === 0 ? undefined : matches[match % matches.length];

  const setConsole = (name: string): void => setSearch({ console: name }, { replace: true, preventScrollReset: true });
  /** A link to a line, or with shift to all from the one that is marked. */
  const mark = (line: LogLine, extend: boolean): void => {
    const first = extend && marked ? Math.min(marked.first, line.number) : line.number;
    const last = extend && marked ? Math.max(marked.first, line.number) : line.number;
    const range = last > first ? `${first}-${last}` : String(first);
    setSearch({ console: line.uart, line: range }, { replace: true, preventScrollReset: true });
    setFollow(false);
  };
  const fold = (step: JobStep): void => {
    const next = new Set(folded);
    if (!next.delete(step.index)) next.add(step.index);
    setFolded(next);
  };
  const step = (by: number): void => {
    setFollow(false);
    setFolded(new Set());
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
            value={chosen}
            onChange={(event) => setConsole(event.target.value)}
          >
            <option value={ALL}>All consoles</option>
            {job.consoles.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
        {steps.length > 0 && (
          <button
            type="button"
            className="button small"
            aria-pressed={folded.size > 0}
            onClick={() => setFolded(folded.size > 0 ? new Set() : new Set(steps.map(({ index }) => index)))}
          >
            <FoldVertical size={14} aria-hidden />
            Fold steps
          </button>
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
          rows={rows}
          lines={lines}
          query={wanted}
          current={current}
          marked={marked}
          follow={follow}
          showUart={uart === ''}
          onFollow={setFollow}
          running={job.state !== 'ended'}
          onMark={mark}
          onFold={fold}
        />
      )}
    </div>
  );
}

/**
 * Only the rows in view are in the page: a log may have a million lines. They lie in a window that stays where the reader
 * is, and do not move with what is scrolled: however fast that goes, it never shows a place without rows.
 */
function Rows({
  rows,
  lines,
  query,
  current,
  marked,
  follow,
  running,
  showUart,
  onFollow,
  onMark,
  onFold,
}: {
  rows: LogRows;
  lines: readonly LogLine[];
  query: string;
  current: number | undefined;
  marked: { first: number; last: number } | undefined;
  follow: boolean;
  running: boolean;
  showUart: boolean;
  onFollow(follow: boolean): void;
  onMark(line: LogLine, extend: boolean): void;
  onFold(step: JobStep): void;
}) {
  const scroller = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 800 });
  /** Where we have scrolled to ourselves: whatever is elsewhere was a person's doing. */
  const ownTop = useRef(0);
  const count = rows.count;
  const scale = new ScrollScale(count * ROW_PX, view.height);

  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const update = (): void => setView({ top: element.scrollTop, height: element.clientHeight });
    const observer = new ResizeObserver(update);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    const element = scroller.current;
    if (!follow || !element) return;
    element.scrollTop = element.scrollHeight;
    ownTop.current = element.scrollTop;
  }, [follow, count]);

  const markedIndex = marked ? rows.indexOf(marked.first) : undefined;
  const known = markedIndex !== undefined && markedIndex < lines.length;
  const targetLine = current ?? (known ? markedIndex : undefined);
  useEffect(() => {
    const element = scroller.current;
    if (!element || targetLine === undefined) return;
    const top = rows.rowOf(targetLine) * ROW_PX;
    const from = scale.contentAt(element.scrollTop);
    if (top < from || top > from + element.clientHeight - 2 * ROW_PX) {
      element.scrollTo({ top: scale.scrollTo(top - element.clientHeight / 2) });
    }
    // Not whenever the log grows: only when the target is another one.
  }, [targetLine]);

  const scrolled = (element: HTMLDivElement): void => {
    // At once: the frame that is scrolled shows the rows that belong there.
    flushSync(() => setView({ top: element.scrollTop, height: element.clientHeight }));
    const atEnd = element.scrollTop + element.clientHeight >= element.scrollHeight - AT_END_PX;
    if (follow && element.scrollTop < ownTop.current - AT_END_PX) onFollow(false);
    else if (!follow && running && atEnd && targetLine === undefined) onFollow(true);
    ownTop.current = element.scrollTop;
  };

  const top = scale.contentAt(view.top);
  const first = Math.max(0, Math.floor(top / ROW_PX) - OVERSCAN_ROWS);
  // As many rows at every place: one that leaves at one end is used again at the other, however fast it goes.
  const slots = Math.ceil(view.height / ROW_PX) + 1 + 2 * OVERSCAN_ROWS;
  const last = Math.min(count, first + slots);
  const visible = Array.from({ length: Math.max(0, last - first) }, (_, offset) => first + offset);
  return (
    <div
      ref={scroller}
      className="log-lines"
      tabIndex={0}
      role="region"
      aria-label="Log lines"
      onScroll={(event) => scrolled(event.currentTarget)}
    >
      <div className="log-canvas" style={{ height: scale.scrolledPx }}>
        <ol className="log-window" style={{ transform: `translateY(${first * ROW_PX - top}px)` }}>
          {visible.map((number) => {
            const row = rows.at(number);
            if (row?.kind === 'step') return <StepHeading key={`step ${row.step.index}`} row={row} onFold={onFold} />;
            const line = row && lines[row.index];
            if (!row || !line) return null;
            const isMarked = marked && line.number >= marked.first && line.number <= marked.last && !showUart;
            return (
              <Line
                key={number % slots}
                line={line}
                text={line.text}
                query={query}
                isCurrent={row.index === current}
                isMarked={isMarked === true}
                showUart={showUart}
                onMark={onMark}
              />
            );
          })}
        </ol>
      </div>
    </div>
  );
}

/**
 * A line is drawn again only when it changes: at every frame of a scroll most lines are those of the frame before.
 * @param text what `line` says, which may still grow
 */
const Line = memo(function Line({
  line,
  text,
  query,
  isCurrent,
  isMarked,
  showUart,
  onMark,
}: {
  line: LogLine;
  text: string;
  query: string;
  isCurrent: boolean;
  isMarked: boolean;
  showUart: boolean;
  onMark(line: LogLine, extend: boolean): void;
}) {
  return (
    <li
      className="log-row"
      data-level={levelOf(text)}
      data-current={isCurrent || undefined}
      data-marked={isMarked || undefined}
    >
      <button
        type="button"
        className="log-number tabular"
        tabIndex={-1}
        title="Link to this line; with shift to all from the marked one"
        onClick={(event) => onMark(line, event.shiftKey)}
      >
        {line.number}
      </button>
      <span className="log-time">{formatVirtualTimestamp(line.tNs)}</span>
      {showUart && <span className="log-source">{line.uart}</span>}
      <span className="log-text">{highlight(text, query)}</span>
    </li>
  );
});

function StepHeading({
  row: { step, folded, lines },
  onFold,
}: {
  row: { step: JobStep; folded: boolean; lines: number };
  onFold(step: JobStep): void;
}) {
  const Chevron = folded ? ChevronRight : ChevronDown;
  const took = step.startNs !== null && step.doneNs !== null ? formatDurationNs(step.doneNs - step.startNs) : '';
  return (
    <li className="log-row log-step" data-status={step.status}>
      <button type="button" aria-expanded={!folded} onClick={() => onFold(step)}>
        <Chevron size={14} aria-hidden />
        <StepIcon status={step.status} size={13} />
        <span className="log-step-name">
          {step.index + 1} {stepName(step)}
        </span>
        <span className="log-step-facts tabular">
          {took} {folded && `${lines} ${lines === 1 ? 'line' : 'lines'}`}
        </span>
      </button>
    </li>
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
function useLogLines(stream: ConsoleStream | undefined): { model: LogLines; version: number } {
  const [state, setState] = useState(() => ({ model: new LogLines(), version: 0 }));
  useEffect(() => {
    if (!stream) return;
    const model = new LogLines();
    let version = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const update = (): void => {
      timer = undefined;
      const { changed, more } = model.take(stream.chunks, BYTES_PER_TURN);
      if (changed) setState({ model, version: ++version });
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
  return state;
}
