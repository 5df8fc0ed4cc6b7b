import { Plus } from 'lucide-react';
import { Link, useParams } from 'react-router';
import { useBoard } from '../api/queries.js';
import type { Board } from '../api/types.js';
import { Failure, Loading } from '../components/feedback.js';
import { Panel } from '../components/panel.js';
import { SelfTestButton } from '../components/self-test-button.js';
import { formatBytes, formatCount } from '../lib/format.js';
import { formatAddress, memoryMap, type MapEntry } from '../lib/memory-map.js';
import { useTitle } from '../lib/use-title.js';

export function BoardPage() {
  const { id = '' } = useParams();
  const board = useBoard(id);
  useTitle(board.data?.name ?? id);
  return (
    <div className="page">
      <nav className="crumbs" aria-label="Breadcrumb">
        <Link to="/boards">Boards</Link>
        <span aria-hidden>/</span>
        <span>{id}</span>
      </nav>
      {board.data ? (
        <BoardDetails board={board.data} />
      ) : board.error ? (
        <div className="card">
          <Failure wholePage error={board.error} what="board" retry={() => void board.refetch()} />
        </div>
      ) : (
        <Loading what="board" />
      )}
    </div>
  );
}

function BoardDetails({ board }: { board: Board }) {
  const map = memoryMap(board);
  return (
    <>
      <div className="page-head">
        <div className="board-intro">
          <h1>{board.name}</h1>
          <p>{board.description}</p>
        </div>
        <div className="page-actions">
          {board.selfTest && <SelfTestButton board={board.id} />}
          <Link to={`/submit?board=${encodeURIComponent(board.id)}`} className="button primary">
            <Plus size={16} aria-hidden />
            New job
          </Link>
        </div>
      </div>
      <div className="board-layout">
        <div className="board-column">
          <Panel title="Overview">
            <dl className="facts card-body">
              <dt>Architecture</dt>
              <dd>
                {board.arch.toUpperCase()}, {board.byteOrders.map((order) => `${order}-endian`).join(' and ')}
              </dd>
              <dt>Memory</dt>
              <dd>
                {formatBytes(board.memory.defaultBytes)}{' '}
                <span className="muted">
                  ({formatBytes(board.memory.minBytes)} to {formatBytes(board.memory.maxBytes)})
                </span>
              </dd>
              <dt>Drives</dt>
              <dd>{board.drives === 0 ? 'none' : `up to ${board.drives}`}</dd>
              <dt>Virtual clock</dt>
              <dd>{formatCount(board.instructionsPerSecond)} instructions per second</dd>
              <dt>Self-test</dt>
              <dd>{board.selfTest ? 'built in' : 'none'}</dd>
              <dt>Boot</dt>
              <dd>{board.boot}</dd>
              <dt>Command line</dt>
              <dd>
                <code>{board.defaultCmdline}</code>
              </dd>
            </dl>
          </Panel>
          <Panel title="CPU models">
            <ul className="plain-list">
              {board.cpus.map((cpu) => (
                <li key={cpu.id}>
                  <div>
                    <code className="strong">{cpu.id}</code>
                    {cpu.id === board.defaultCpu && <span className="tag">default</span>}
                  </div>
                  <span className="muted">{cpu.description}</span>
                </li>
              ))}
            </ul>
          </Panel>
          <Panel title="Consoles">
            <ul className="plain-list">
              {board.consoles.map((console) => (
                <li key={console.name}>
                  <code className="strong">{console.name}</code>
                  <span className="muted">{console.description}</span>
                </li>
              ))}
            </ul>
          </Panel>
        </div>
        <div className="board-column">
          <Panel title="Devices" action={<span className="muted tabular">{board.devices.length}</span>}>
            <div className="table-scroll">
              <table className="table device-table">
                <thead>
                  <tr>
                    <th>Device</th>
                    <th>Address</th>
                    <th>Interrupt</th>
                  </tr>
                </thead>
                <tbody>
                  {board.devices.map((device) => (
                    <tr key={device.name}>
                      <td>
                        <code className="strong">{device.name}</code> <span className="tag">{device.type}</span>
                        <div className="muted">{device.description}</div>
                      </td>
                      <td className="mono">{device.address ?? '–'}</td>
                      <td className="mono">{device.irq ?? '–'}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </Panel>
          <MemoryMap title="Physical memory map" entries={map.filter((entry) => entry.space === 'memory')} />
          <MemoryMap title="I/O ports" entries={map.filter((entry) => entry.space === 'io')} />
        </div>
      </div>
    </>
  );
}

function MemoryMap({ title, entries }: { title: string; entries: readonly MapEntry[] }) {
  if (entries.length === 0) return null;
  return (
    <Panel title={title}>
      <ol className="memory-map">
        {entries.map((entry) => (
          <li key={`${entry.start}-${entry.name}`} title={entry.description}>
            <span className="mono memory-range">
              {formatAddress(entry.start, entry.space)}
              {entry.end !== undefined && <span> – {formatAddress(entry.end, entry.space)}</span>}
            </span>
            <span className="memory-block">
              <code className="strong">{entry.name}</code>
              {entry.end !== undefined && <span className="muted">{formatBytes(entry.end - entry.start + 1)}</span>}
            </span>
          </li>
        ))}
      </ol>
    </Panel>
  );
}
