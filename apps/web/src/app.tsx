import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { lazy, Suspense, useState, type ReactNode } from 'react';
import { createBrowserRouter, Navigate } from 'react-router';
import { RouterProvider } from 'react-router/dom';
import { start, useAuth } from './api/auth.js';
import { ApiError } from './api/problem.js';
import { LiveProvider } from './api/use-live.js';
import { ErrorBoundary } from './components/error-boundary.js';
import { Loading, Unreachable } from './components/feedback.js';
import { Shell } from './components/shell.js';
import { BoardPage } from './pages/board-page.js';
import { BoardsPage } from './pages/boards-page.js';
import { ImagePage } from './pages/image-page.js';
import { ImagesPage } from './pages/images-page.js';
import { JobsPage } from './pages/jobs-page.js';
import { NotFoundPage } from './pages/not-found-page.js';
import { InvitationPage } from './pages/invitation-page.js';
import { SettingsPage } from './pages/settings-page.js';
import { SignInPage } from './pages/sign-in-page.js';

// The terminal, and the schemas behind the form, are the heavy parts: loaded when first needed.
const JobPage = lazy(() => import('./pages/job-page.js'));
const MatrixPage = lazy(() => import('./pages/matrix-page.js'));
const ComparePage = lazy(() => import('./pages/compare-page.js'));
const HistoryPage = lazy(() => import('./pages/history-page.js'));
const GroupPage = lazy(() => import('./pages/group-page.js'));
const SubmitPage = lazy(() => import('./pages/submit-page.js'));

function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // An answer that blames the request will not change by asking again; no answer, or a 5xx, may.
        retry: (failures, error) => failures < 2 && !(error instanceof ApiError && error.status < 500),
        staleTime: 1000,
      },
    },
  });
}

const later = (what: string, page: ReactNode) => <Suspense fallback={<Loading what={what} />}>{page}</Suspense>;

const router = createBrowserRouter([
  {
    element: (
      <ErrorBoundary>
        <Shell />
      </ErrorBoundary>
    ),
    children: [
      { index: true, element: <Navigate to="/jobs" replace /> },
      { path: 'jobs', element: <JobsPage /> },
      {
        path: 'jobs/:id/:tab?',
        element: (
          <Suspense fallback={<Loading what="job" />}>
            <JobPage />
          </Suspense>
        ),
      },
      {
        path: 'submit',
        element: (
          <Suspense fallback={<Loading what="form" />}>
            <SubmitPage />
          </Suspense>
        ),
      },
      { path: 'matrix', element: later('matrix', <MatrixPage />) },
      { path: 'groups/:id', element: later('jobs', <GroupPage />) },
      { path: 'compare', element: later('comparison', <ComparePage />) },
      { path: 'history', element: later('history', <HistoryPage />) },
      { path: 'boards', element: <BoardsPage /> },
      { path: 'boards/:id', element: <BoardPage /> },
      { path: 'images', element: <ImagesPage /> },
      { path: 'images/:id', element: <ImagePage /> },
      { path: 'settings/:section?', element: <SettingsPage /> },
      { path: '*', element: <NotFoundPage /> },
    ],
  },
]);

export function App() {
  const auth = useAuth();
  if (location.pathname === '/invitation') return <InvitationPage />;
  switch (auth.kind) {
    case 'unknown':
      return null; // the answer takes no longer than the first paint
    case 'unreachable':
      return <Unreachable retry={() => void start()} />;
    case 'signed-out':
      return <SignInPage ended={auth.ended} />;
    case 'signed-in':
      // Somebody else, or another project, shows other things: the key makes it start with an empty cache.
      return <SignedIn key={`${auth.me.label} ${auth.project}`} />;
  }
}

function SignedIn() {
  const [queryClient] = useState(createQueryClient);
  return (
    <QueryClientProvider client={queryClient}>
      <LiveProvider>
        <RouterProvider router={router} />
      </LiveProvider>
    </QueryClientProvider>
  );
}
