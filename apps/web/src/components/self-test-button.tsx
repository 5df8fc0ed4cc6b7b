import { Stethoscope } from 'lucide-react';
import { useNavigate } from 'react-router';
import { useSubmitJob } from '../api/queries.js';

/** The built-in self-test firmware of a board, as the lab names it. */
export function selfTestImage(board: string, byteOrder: 'little' | 'big'): string {
  return `builtin:${board}-selftest-${byteOrder === 'little' ? 'el' : 'eb'}`;
}

/** A first job in one click: the firmware that comes with the board, no file needed. */
export function SelfTestButton({ board, primary = false }: { board: string; primary?: boolean }) {
  const navigate = useNavigate();
  const submit = useSubmitJob();
  const start = (): void => {
    submit.mutate(
      {
        spec: {
          name: `${board} self-test`,
          board,
          images: { firmware: selfTestImage(board, 'little') },
          timeout: '1m',
        },
        files: new Map(),
        signal: new AbortController().signal,
        onProgress: () => undefined,
      },
      { onSuccess: (job) => void navigate(`/jobs/${job.id}`) },
    );
  };
  return (
    <>
      <button
        type="button"
        className={primary ? 'button primary' : 'button'}
        disabled={submit.isPending}
        onClick={start}
        title="Runs the self-test firmware that comes with the board"
      >
        {submit.isPending ? <span className="spinner" aria-hidden /> : <Stethoscope size={16} aria-hidden />}
        Run the self-test
      </button>
      {submit.error && (
        <span className="field-error" role="alert">
          {submit.error.message}
        </span>
      )}
    </>
  );
}
