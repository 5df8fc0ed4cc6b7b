import { CircleAlert } from 'lucide-react';
import { Component, type ReactNode } from 'react';
import { Empty } from './feedback.js';

/** Catches what a page throws while it renders, so that one broken page does not blank the whole app. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error: Error | undefined }> {
  override state: { error: Error | undefined } = { error: undefined };

  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    return (
      <div className="centre">
        <Empty
          icon={<CircleAlert size={40} strokeWidth={1.4} />}
          title="This page broke"
          actions={
            <button type="button" className="button primary" onClick={() => location.reload()}>
              Reload
            </button>
          }
        >
          <p>Your jobs are not affected. If it happens again, please report this text:</p>
          <p className="mono">{error.message}</p>
        </Empty>
      </div>
    );
  }
}
