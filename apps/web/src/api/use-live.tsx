import { useQueryClient } from '@tanstack/react-query';
import { createContext, useContext, useEffect, useMemo, useSyncExternalStore, type ReactNode } from 'react';
import { currentProject } from './auth.js';
import { API } from './client.js';
import { LiveEvents } from './live-events.js';

/** Questions whose answers change with the jobs of the project. */
const ABOUT_JOBS = ['jobs', 'group', 'groups', 'matrix'] as const;

const LiveContext = createContext<LiveEvents | undefined>(undefined);

/** Keeps the lists of the pages below up to date while one of them is looked at. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const queryClient = useQueryClient();
  const live = useMemo(
    () =>
      new LiveEvents({
        openSource: () => new EventSource(eventsAddress()),
        onChange: () => {
          for (const key of ABOUT_JOBS) void queryClient.invalidateQueries({ queryKey: [key] });
        },
      }),
    [queryClient],
  );
  useEffect(() => {
    // A page in the background listens to nothing: browsers open six connections to a host, over all tabs.
    const follow = (): void => (document.hidden ? live.close() : live.open());
    follow();
    document.addEventListener('visibilitychange', follow);
    return () => {
      document.removeEventListener('visibilitychange', follow);
      live.close();
    };
  }, [live]);
  return <LiveContext value={live}>{children}</LiveContext>;
}

const never = (): (() => void) => () => undefined;

/** Whether changes of jobs arrive by themselves now. */
export function useLive(): boolean {
  const live = useContext(LiveContext);
  return useSyncExternalStore(live?.subscribe ?? never, () => live?.live ?? false);
}

/** An EventSource cannot have headers: the project is in the address. */
function eventsAddress(): string {
  const project = currentProject();
  return `${API}/events${project === undefined ? '' : `?project=${encodeURIComponent(project)}`}`;
}
