import { ArrowRight, CircuitBoard } from 'lucide-react';
import { Link } from 'react-router';
import { useBoards } from '../api/queries.js';
import { Empty, Failure, Loading } from '../components/feedback.js';
import { formatBytes } from '../lib/format.js';
import { useTitle } from '../lib/use-title.js';

export function BoardsPage() {
  useTitle('Boards');
  const boards = useBoards();
  return (
    <div className="page">
      <div className="page-head">
        <div>
          <h1>Boards</h1>
          <p>
            What this lab can emulate. The catalogue comes from the board declarations that also build the machines.
          </p>
        </div>
      </div>
      {boards.data ? (
        boards.data.length === 0 ? (
          <div className="card">
            <Empty icon={<CircuitBoard size={40} strokeWidth={1.4} />} title="This lab has no boards">
              <p>Its emulator was built without any. Reinstall it, or ask its operator.</p>
            </Empty>
          </div>
        ) : (
          <ul className="board-grid">
            {boards.data.map((board) => (
              <li key={board.id} className="card board-card">
                <div className="board-card-head">
                  <span className="board-icon">
                    <CircuitBoard size={22} strokeWidth={1.6} aria-hidden />
                  </span>
                  <div>
                    <h2>
                      <Link to={`/boards/${board.id}`} className="row-link">
                        {board.name}
                      </Link>
                    </h2>
                    <code className="muted">{board.id}</code>
                  </div>
                  <ArrowRight size={17} className="board-card-arrow" aria-hidden />
                </div>
                <p className="muted">{board.description}</p>
                <div className="tags">
                  <span className="tag">{board.arch.toUpperCase()}</span>
                  <span className="tag">
                    {board.byteOrders.length === 2 ? 'both byte orders' : `${board.byteOrders[0]}-endian`}
                  </span>
                  <span className="tag">{board.cpus.length} CPU models</span>
                  <span className="tag">up to {formatBytes(board.memory.maxBytes)}</span>
                  <span className="tag">{board.devices.length} devices</span>
                </div>
              </li>
            ))}
          </ul>
        )
      ) : boards.error ? (
        <div className="card">
          <Failure error={boards.error} what="board catalogue" retry={() => void boards.refetch()} />
        </div>
      ) : (
        <Loading what="boards" />
      )}
    </div>
  );
}
