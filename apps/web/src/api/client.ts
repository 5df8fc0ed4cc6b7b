// One place that talks HTTP to the lab: names the project, turns problem+json into ApiError, notices the end of a session.
import { projectHeaders, sessionRefused } from './auth.js';
import { ApiError, parseProblem, UnreachableError } from './problem.js';

export const API = '/api/v1';

export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers({ ...projectHeaders(), ...Object.fromEntries(new Headers(init.headers)) });
  let response: Response;
  try {
    response = await fetch(API + path, { ...init, headers });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new UnreachableError();
  }
  if (response.ok) return response;
  if (response.status === 401) sessionRefused();
  throw new ApiError(parseProblem(response.status, response.statusText, await response.text()));
}

/** The caller names the type the lab's schema gives that path; the lab is trusted to keep its own schema. */
export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await request(path, signal ? { signal } : {});
  return (await response.json()) as T;
}

export function postJson<T>(path: string, body: unknown): Promise<T> {
  return sendJson('POST', path, body);
}

export async function sendJson<T>(method: 'POST' | 'PUT' | 'PATCH', path: string, body: unknown): Promise<T> {
  const response = await request(path, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await response.json()) as T;
}

export interface UploadProgress {
  sentBytes: number;
  totalBytes: number;
}

/** A multipart POST with progress. XMLHttpRequest, because fetch reports no upload progress. */
export function postForm<T>(
  path: string,
  form: FormData,
  options: { onProgress?: (progress: UploadProgress) => void; signal?: AbortSignal } = {},
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    xhr.open('POST', API + path);
    for (const [name, value] of Object.entries(projectHeaders())) xhr.setRequestHeader(name, value);
    xhr.upload.onprogress = (event) => {
      options.onProgress?.({ sentBytes: event.loaded, totalBytes: event.total });
    };
    xhr.onload = () => {
      if (xhr.status >= 200 && xhr.status < 300) {
        resolve(JSON.parse(xhr.responseText) as T);
        return;
      }
      if (xhr.status === 401) sessionRefused();
      reject(new ApiError(parseProblem(xhr.status, xhr.statusText, xhr.responseText)));
    };
    xhr.onerror = () => reject(new UnreachableError());
    xhr.onabort = () => reject(new DOMException('The upload was cancelled.', 'AbortError'));
    options.signal?.addEventListener('abort', () => xhr.abort());
    xhr.send(form);
  });
}

/** A file as it is, as the body. */
export async function postFile<T>(path: string, file: Blob, contentType: string): Promise<T> {
  const response = await request(path, { method: 'POST', headers: { 'content-type': contentType }, body: file });
  return (await response.json()) as T;
}

export async function remove(path: string): Promise<void> {
  await request(path, { method: 'DELETE' });
}

/** For what is answered without a body. */
export async function postForNothing(path: string, body: unknown): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  await request(path, { method: 'POST', headers, body: JSON.stringify(body) });
}

/** Lets the browser save what a path of the lab answers, of the project that a plain link could not name. */
export async function download(path: string, fileName: string): Promise<void> {
  const response = await request(path);
  saveBlob(await response.blob(), fileName);
}

export function saveBlob(blob: Blob, fileName: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = fileName;
  link.click();
  // The click only starts the save; the address must outlive it.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
