import { formatAgo, formatDateTime } from '../lib/format.js';
import { useNow } from '../lib/use-now.js';

export function TimeAgo({ iso }: { iso: string }) {
  const now = useNow(10_000);
  const date = new Date(iso);
  return (
    <time dateTime={iso} title={formatDateTime(date)}>
      {formatAgo(date, now)}
    </time>
  );
}
