// What a page says when it has no data to show yet, none at all, or an error instead.
import { CircleAlert, CloudOff, Info, SearchX } from 'lucide-react';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { currentProject, useMe } from '../api/auth.js';
import { ApiError, UnreachableError } from '../api/problem.js';

export function Loading({ what }: { what: string }) {
  return (
    <div className="loading" role="status">
      <span className="spinner" aria-hidden />
      Loading {what}…
    </div>
  );
}

export function Empty({
  icon,
  title,
  children,
  actions,
  wholePage = false,
}: {
  icon: ReactNode;
  title: string;
  children?: ReactNode;
  actions?: ReactNode;
  /** The page says nothing else: this is its heading. */
  wholePage?: boolean;
}) {
  const Heading = wholePage ? 'h1' : 'h2';
  return (
    <div className="empty">
      {icon}
      <Heading>{title}</Heading>
      {children}
      {actions !== undefined && <div className="empty-actions">{actions}</div>}
    </div>
  );
}

export function Notice({
  tone = 'info',
  title,
  children,
  action,
}: {
  tone?: 'info' | 'fail' | 'timeout';
  title?: string;
  children?: ReactNode;
  action?: ReactNode;
}) {
  const Icon = tone === 'info' ? Info : CircleAlert;
  return (
    <div className="notice" data-tone={tone} role={tone === 'fail' ? 'alert' : undefined}>
      <Icon size={17} aria-hidden />
      <div className="notice-body">
        {title !== undefined && <div className="notice-title">{title}</div>}
        {children}
      </div>
      {action}
    </div>
  );
}

/** In place of everything: nobody knows who is signed in. */
export function Unreachable({ retry }: { retry(): void }) {
  return (
    <main className="centre">
      <Empty
        wholePage
        icon={<CloudOff size={40} strokeWidth={1.4} />}
        title="The lab does not answer"
        actions={
          <button type="button" className="button" onClick={retry}>
            Try again
          </button>
        }
      >
        <p>Check that it is running and that this machine can reach it.</p>
      </Empty>
    </main>
  );
}

/** An error in place of a page's content: what happened and what to do next. */
export function Failure({
  error,
  what,
  retry,
  wholePage = false,
}: {
  error: Error;
  what: string;
  retry?: () => void;
  wholePage?: boolean;
}) {
  const { projects } = useMe();
  const retryButton = retry && (
    <button type="button" className="button" onClick={retry}>
      Try again
    </button>
  );
  if (error instanceof UnreachableError) {
    return (
      <Empty
        wholePage={wholePage}
        icon={<CloudOff size={40} strokeWidth={1.4} />}
        title="The lab does not answer"
        actions={retryButton}
      >
        <p>
          Check that it is running (<code>npm start</code>) and that this machine can reach it. This page retries by
          itself.
        </p>
      </Empty>
    );
  }
  if (error instanceof ApiError && error.status === 404) {
    return (
      <Empty
        wholePage={wholePage}
        icon={<SearchX size={40} strokeWidth={1.4} />}
        title={`There is no such ${what}`}
        actions={
          <Link className="button" to="/jobs">
            Go to the jobs
          </Link>
        }
      >
        <p>
          It may have been removed, or the link may be incomplete.
          {projects.length > 1 && ` Or it is in another project: you see ${currentProject() ?? 'none'} now.`}
        </p>
      </Empty>
    );
  }
  return (
    <Empty
      wholePage={wholePage}
      icon={<CircleAlert size={40} strokeWidth={1.4} />}
      title={`Loading the ${what} failed`}
      actions={retryButton}
    >
      <p>{error.message}</p>
    </Empty>
  );
}
