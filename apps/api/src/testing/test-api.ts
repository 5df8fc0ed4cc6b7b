import 'reflect-metadata';
import { pathToFileURL } from 'node:url';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { startTestDatabase, temporaryFolder } from '@bootlab/lab/testing';
import { createApp, type AppOptions } from '../app.js';

export const ADMIN_TOKEN = 'blt_administrator-of-the-tests';
/** Largest upload, bytes. */
export const UPLOAD_LIMIT = 2 ** 20;

export interface Answer<T> {
  status: number;
  type: string;
  headers: Headers;
  body: T;
}

export interface Call {
  method?: string;
  /** Sent as JSON. */
  body?: unknown;
  form?: FormData;
  token?: string;
  cookie?: string;
  headers?: Record<string, string>;
}

/** The API as it runs, on a database of its own and without a worker. */
export interface TestApi {
  readonly app: NestFastifyApplication;
  readonly url: string;
  /** The administrator's token. */
  readonly adminToken: string;
  /** The image store. */
  readonly folder: string;
  call<T>(path: string, call?: Call): Promise<Answer<T>>;
  stop(): Promise<void>;
}

/** @param environment further variables of the API's environment, or others than the usual ones */
export async function startTestApi(
  environment: Record<string, string> = {},
  options: AppOptions = {},
): Promise<TestApi> {
  const [postgres, folder] = await Promise.all([startTestDatabase(), temporaryFolder()]);
  Object.assign(process.env, {
    DATABASE_URL: postgres.url,
    BLOB_URL: pathToFileURL(folder.path).href,
    REDIS_URL: '',
    BOOTLAB_ADMIN_TOKEN: ADMIN_TOKEN,
    BOOTLAB_MAX_UPLOAD: `${UPLOAD_LIMIT / 1024}K`,
    BOOTLAB_RATE_LIMIT: '1000000',
    BOOTLAB_SIGN_IN_LIMIT: '1000',
    ...environment,
  });
  const app = await createApp({ logLevels: ['error'], ...options });
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  return {
    app,
    url,
    adminToken: ADMIN_TOKEN,
    folder: folder.path,
    call: (path, call) => callApi(url, path, call),
    stop: async () => {
      await app.close();
      await postgres.stop();
      await folder.remove();
    },
  };
}

async function callApi<T>(url: string, path: string, call: Call = {}): Promise<Answer<T>> {
  const headers = new Headers(call.headers);
  if (call.token !== undefined) headers.set('authorization', `Bearer ${call.token}`);
  if (call.cookie !== undefined) headers.set('cookie', call.cookie);
  if (call.body !== undefined) headers.set('content-type', 'application/json');
  const body = call.form ?? (call.body === undefined ? null : JSON.stringify(call.body));
  const response = await fetch(url + path, { method: call.method ?? 'GET', headers, body, redirect: 'manual' });
  const type = response.headers.get('content-type') ?? '';
  const text = await response.text();
  const isJson = type.includes('json') && !type.includes('ndjson');
  return {
    status: response.status,
    type,
    headers: response.headers,
    body: (isJson && text !== '' ? JSON.parse(text) : text) as T,
  };
}

/** The cookie that an answer sets, as a browser sends it back; its attributes beside it. */
export function cookieOf(answer: Answer<unknown>): { cookie: string; attributes: string } {
  const [set = ''] = answer.headers.getSetCookie();
  const [cookie = '', ...attributes] = set.split('; ');
  return { cookie, attributes: attributes.join('; ') };
}
