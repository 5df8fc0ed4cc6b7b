// What the pages ask of the lab, as react-query hooks: one key per question, refresh rules in one place.
import {
  keepPreviousData,
  queryOptions,
  useMutation,
  useQuery,
  useQueryClient,
  type QueryClient,
} from '@tanstack/react-query';
import { useCallback } from 'react';
import { useLive } from './use-live.js';
import { getJson, postFile, postForm, postJson, remove, request, sendJson, type UploadProgress } from './client.js';
import type {
  Board,
  BuildMatrix,
  Comparison,
  GroupPage,
  HistoryPage,
  Image,
  ImageChange,
  ImagePage,
  ImageTransfer,
  Job,
  JobGroup,
  JobPage,
  JobSpec,
  JobState,
  Outcome,
  ResultPage,
  ResultUpload,
  SubmittedJob,
  ValidationReport,
} from './types.js';

export const JOBS_PER_PAGE = 25;
/** While changes do not arrive by themselves… */
const LIST_REFRESH_MS = 2000;
/** …and while they do: in case that one got lost. */
const LIVE_LIST_REFRESH_MS = 30_000;
const JOB_REFRESH_MS = 3000;
const TRANSFER_REFRESH_MS = 700;
const LIST_IDLE_REFRESH_MS = 15_000;

export interface JobFilter {
  state?: JobState;
  outcome?: Outcome;
  board?: string;
  name?: string;
  group?: string;
  cursor?: string;
}

function queryString(parameters: Readonly<Record<string, string | number | undefined>>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== '') search.set(name, String(value));
  }
  return search.size === 0 ? '' : `?${search}`;
}

/** How often a list is asked for that changes with the jobs. */
const useListRefreshMs = (): number => (useLive() ? LIVE_LIST_REFRESH_MS : LIST_REFRESH_MS);

export function useJobs(filter: JobFilter) {
  const refetchInterval = useListRefreshMs();
  return useQuery({
    queryKey: ['jobs', filter],
    queryFn: ({ signal }) => getJson<JobPage>(`/jobs${queryString({ ...filter, limit: JOBS_PER_PAGE })}`, signal),
    refetchInterval,
    placeholderData: keepPreviousData,
  });
}

export function jobQuery(id: string) {
  return queryOptions({
    queryKey: ['job', id],
    queryFn: ({ signal }) => getJson<Job>(`/jobs/${encodeURIComponent(id)}`, signal),
    // The stream brings changes at once; asking now and then covers the times it is down.
    refetchInterval: (query) => (query.state.data?.state === 'ended' ? false : JOB_REFRESH_MS),
  });
}

export function useJob(id: string) {
  return useQuery(jobQuery(id));
}

/** Puts a job that came another way (stream, submission) where the pages look for it. A late older state is ignored. */
export function rememberJob(queryClient: QueryClient, job: Job): void {
  queryClient.setQueryData(jobQuery(job.id).queryKey, (known) =>
    known?.state === 'ended' && job.state !== 'ended' ? known : job,
  );
  if (job.state === 'ended') void queryClient.invalidateQueries({ queryKey: ['jobs'] });
}

/** A job's results; asked again whenever the job says that there are more. */
export function useResults(job: Job) {
  return useQuery({
    queryKey: ['results', job.id, job.counts, job.attempts],
    queryFn: ({ signal }) => getJson<ResultPage>(`/jobs/${job.id}/results?limit=10000`, signal),
    placeholderData: keepPreviousData,
  });
}

export function useGroup(id: string) {
  const refreshMs = useListRefreshMs();
  return useQuery({
    queryKey: ['group', id],
    queryFn: ({ signal }) => getJson<JobGroup>(`/groups/${encodeURIComponent(id)}`, signal),
    refetchInterval: (query) => (query.state.data?.jobs.every(({ state }) => state === 'ended') ? false : refreshMs),
  });
}

export function useGroups() {
  const refetchInterval = useListRefreshMs();
  return useQuery({
    queryKey: ['groups'],
    queryFn: ({ signal }) => getJson<GroupPage>('/groups?limit=10', signal),
    refetchInterval,
  });
}

export function useMatrix(name: string) {
  const refetchInterval = useListRefreshMs();
  return useQuery({
    queryKey: ['matrix', name],
    queryFn: ({ signal }) => getJson<BuildMatrix>(`/matrix${queryString({ name })}`, signal),
    refetchInterval,
    placeholderData: keepPreviousData,
  });
}

export function useComparison(base: string, head: string) {
  return useQuery({
    queryKey: ['compare', base, head],
    queryFn: ({ signal }) => getJson<Comparison>(`/compare${queryString({ base, head })}`, signal),
    enabled: base !== '' && head !== '',
  });
}

export function useHistory(suite: string, name: string, cursor?: string) {
  return useQuery({
    queryKey: ['history', suite, name, cursor ?? ''],
    queryFn: ({ signal }) => getJson<HistoryPage>(`/history${queryString({ suite, name, cursor })}`, signal),
    placeholderData: keepPreviousData,
  });
}

/** What the lab says of a job that is being written. */
export async function validateText(text: string, signal: AbortSignal): Promise<ValidationReport> {
  const headers = { 'content-type': 'application/yaml' };
  const response = await request('/jobs/validate', { method: 'POST', headers, body: text, signal });
  return (await response.json()) as ValidationReport;
}

/** Submits a job as text, with the files that it names. */
export function useSubmitText() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: async ({ text, files }: { text: string; files: readonly File[] }) => {
      const form = new FormData();
      form.set('spec', text);
      files.forEach((file, index) => form.set(`file${index}`, file, file.name));
      return postForm<SubmittedJob>('/jobs', form);
    },
    onSuccess: (job) => {
      rememberJob(queryClient, job);
      void queryClient.invalidateQueries({ queryKey: ['jobs'] });
    },
  });
}

export function useCancelJob(id: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: () => postJson<Job>(`/jobs/${encodeURIComponent(id)}/cancel`, {}),
    onSuccess: (job) => rememberJob(queryClient, job),
  });
}

/** Deletes a file that a job left behind. */
export function useRemoveArtifact(jobId: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (name: string) => remove(`/jobs/${jobId}/artifacts/${encodeURIComponent(name)}`),
    onSettled: () => queryClient.invalidateQueries({ queryKey: jobQuery(jobId).queryKey }),
  });
}

export function useAddResults(jobId: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (file: File) => postFile<ResultUpload>(`/jobs/${jobId}/results`, file, 'application/xml'),
    onSettled: () => queryClient.invalidateQueries({ queryKey: jobQuery(jobId).queryKey }),
  });
}

/** Files named by the spec as `upload:<field>` go in the same request; without any it is plain JSON. */
export interface Submission {
  spec: JobSpec;
  files: ReadonlyMap<string, File>;
  signal: AbortSignal;
  onProgress(progress: UploadProgress): void;
}

export function useSubmitJob() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: ({ spec, files, signal, onProgress }: Submission) => {
      if (files.size === 0) return postJson<Job>('/jobs', spec);
      const form = new FormData();
      form.set('spec', JSON.stringify(spec));
      for (const [field, file] of files) form.set(field, file, file.name);
      return postForm<Job>('/jobs', form, { signal, onProgress });
    },
    onSuccess: (job) => {
      rememberJob(queryClient, job);
      void queryClient.invalidateQueries({ queryKey: ['jobs'] });
      void queryClient.invalidateQueries({ queryKey: ['images'] });
    },
  });
}

/** Boards come from the emulator's own descriptions and change only with a new version of the lab. */
export function useBoards() {
  return useQuery({
    queryKey: ['boards'],
    queryFn: ({ signal }) => getJson<{ items: Board[] }>('/boards', signal),
    staleTime: Infinity,
    select: (page) => page.items,
  });
}

/** A board's description; nothing is asked for while the id is undefined. */
export function useBoard(id: string | undefined) {
  return useQuery({
    queryKey: ['board', id ?? ''],
    enabled: id !== undefined,
    queryFn: ({ signal }) => getJson<Board>(`/boards/${encodeURIComponent(id ?? '')}`, signal),
    staleTime: Infinity,
  });
}

export function useImages(cursor?: string) {
  return useQuery({
    queryKey: ['images', cursor ?? ''],
    queryFn: ({ signal }) => getJson<ImagePage>(`/images${queryString({ cursor, limit: 100 })}`, signal),
    placeholderData: keepPreviousData,
  });
}

export function useImage(id: string) {
  return useQuery({
    queryKey: ['image', id],
    queryFn: ({ signal }) => getJson<Image>(`/images/${encodeURIComponent(id)}`, signal),
  });
}

/** Says that the library has other images than a moment ago. */
export function useImagesChanged(): () => void {
  const queryClient = useQueryClient();
  return useCallback(() => void queryClient.invalidateQueries({ queryKey: ['images'] }), [queryClient]);
}

export function useChangeImage(id: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (change: ImageChange) => sendJson<Image>('PATCH', `/images/${encodeURIComponent(id)}`, change),
    onSuccess: (image) => {
      queryClient.setQueryData(['image', id], image);
      void queryClient.invalidateQueries({ queryKey: ['images'] });
    },
  });
}

export function useRemoveImage(id: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: () => request(`/images/${encodeURIComponent(id)}`, { method: 'DELETE' }),
    onSuccess: () => {
      queryClient.removeQueries({ queryKey: ['image', id] });
      void queryClient.invalidateQueries({ queryKey: ['images'] });
    },
  });
}

/**
 * Files on their way into the library.
 * @param expecting something of this page is with the lab, so ask often
 */
export function useImageTransfers(expecting: boolean) {
  return useQuery({
    queryKey: ['image-transfers'],
    queryFn: ({ signal }) => getJson<{ items: ImageTransfer[] }>('/images/transfers', signal),
    select: ({ items }) => items,
    refetchInterval: ({ state }) => {
      const working = state.data?.items.some(
        (transfer) => transfer.state === 'checking' || (transfer.state === 'receiving' && transfer.kind === 'import'),
      );
      return working || expecting ? TRANSFER_REFRESH_MS : LIST_IDLE_REFRESH_MS;
    },
  });
}

export function useImportImage() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (request: { url: string; sha256?: string; unpack: boolean }) =>
      postJson<ImageTransfer>('/images/imports', request),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['image-transfers'] }),
  });
}

export function useCancelTransfer() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => request(`/images/transfers/${encodeURIComponent(id)}`, { method: 'DELETE' }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['image-transfers'] }),
  });
}
