import { Compass } from 'lucide-react';
import { Link } from 'react-router';
import { Empty } from '../components/feedback.js';
import { useTitle } from '../lib/use-title.js';

export function NotFoundPage() {
  useTitle('Not found');
  return (
    <div className="page">
      <Empty
        wholePage
        icon={<Compass size={40} strokeWidth={1.4} />}
        title="There is no page at this address"
        actions={
          <Link className="button primary" to="/jobs">
            Go to the jobs
          </Link>
        }
      >
        <p>The link may be incomplete, or from another version of the lab.</p>
      </Empty>
    </div>
  );
}
