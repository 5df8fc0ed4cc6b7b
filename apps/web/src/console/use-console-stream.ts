import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { currentProject } from '../api/auth.js';
import { rememberJob } from '../api/queries.js';
import { ConsoleStream, type StreamState } from './console-stream.js';

/** The job's live stream for as long as the calling page is shown; job changes go to the query cache as they come. */
export function useConsoleStream(jobId: string): ConsoleStream | undefined {
  const queryClient = useQueryClient();
  const [stream, setStream] = useState<ConsoleStream>();
  useEffect(() => {
    const opened = new ConsoleStream({
      jobId,
      project: currentProject(),
      onJob: (job) => rememberJob(queryClient, job),
    });
    opened.open();
    setStream(opened);
    const retry = (): void => opened.retryNow();
    window.addEventListener('online', retry);
    return () => {
      window.removeEventListener('online', retry);
      opened.close();
      setStream(undefined);
    };
  }, [jobId, queryClient]);
  return stream;
}

const CONNECTING: StreamState = { kind: 'connecting' };
const noSubscription = (): (() => void) => () => undefined;

export function useStreamState(stream: ConsoleStream | undefined): StreamState {
  return useSyncExternalStore(stream?.subscribe ?? noSubscription, () => stream?.state ?? CONNECTING);
}

/** The names of the consoles that have printed something so far, for the marks on their tabs. */
export function useActiveConsoles(stream: ConsoleStream | undefined): string {
  return useSyncExternalStore(stream?.subscribe ?? noSubscription, () => stream?.activeConsoles ?? '');
}
