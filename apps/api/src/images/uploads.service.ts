import { randomUUID } from 'node:crypto';
import { copyFile, mkdir, rename, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { fieldErrorsOf, uploadMetadataSchema, type ImageTransfer, type Problem } from '@bootlab/lab';
import {
  AdvisoryLocks,
  ImageTransfers,
  QuotaExceededError,
  Quotas,
  type BlobStore,
  type LiveStreams,
  type Principal,
  type StoredTransfer,
} from '@bootlab/lab/server';
import { FileStore } from '@tus/file-store';
import { EVENTS, Server, type Upload } from '@tus/server';
import { NodeRequest, sendNodeResponse } from 'srvx/node';
import { CONFIG, type LabConfig } from '../config.token.js';
import { BLOBS, STREAMS } from '../lab.module.js';
import { invalidField, invalidFields, notFound, problemOf, ProblemError, problemOfQuota } from '../problem/problem.js';
import { ImageIntake } from './image-intake.js';
import { isUuid } from './images.service.js';
import { ImportsService } from './imports.service.js';
import { UploadLocker } from './upload-locker.js';

export const UPLOADS_PATH = '/api/v1/uploads';
const TUS_VERSION = '1.0.0';

/** Resumable uploads by the tus protocol (https://tus.io/protocols/resumable-upload, version 1.0.0). */
@Injectable()
export class UploadsService implements OnModuleInit {
  private readonly logger = new Logger(UploadsService.name);
  private readonly folder: string;
  private readonly store: FileStore;
  private readonly server: Server;
  /** Whose request it is: hooks see only the request. */
  private readonly principals = new WeakMap<Request, Principal>();

  constructor(
    private readonly transfers: ImageTransfers,
    private readonly intake: ImageIntake,
    private readonly imports: ImportsService,
    private readonly quotas: Quotas,
    @Inject(BLOBS) private readonly blobs: BlobStore,
    @Inject(CONFIG) config: LabConfig,
    locks: AdvisoryLocks,
    @Inject(STREAMS) streams: LiveStreams,
  ) {
    // By default beside the staging folder, so that a finished file is renamed and not copied.
    this.folder = config.uploadFolder ?? path.join(path.dirname(blobs.stagingDir), 'uploads');
    this.store = new FileStore({ directory: this.folder, expirationPeriodInMilliseconds: config.uploadExpiryMs });
    this.server = new Server({
      path: UPLOADS_PATH,
      datastore: this.store,
      locker: new UploadLocker(locks, streams),
      maxSize: config.maxUploadBytes,
      relativeLocation: true,
      allowedOrigins: () => false, // the page comes from the lab itself
      namingFunction: () => randomUUID(),
      onUploadCreate: (request, upload) => this.created(request, upload),
      onResponseError: (_request, error) => this.errorOf(error),
    });
    // A figure for people: the next one makes up for a lost one.
    this.server.on(EVENTS.POST_RECEIVE, (_request, upload) => {
      this.transfers.progress(upload.id, upload.offset).catch(() => undefined);
    });
    this.server.on(EVENTS.POST_FINISH, (_request, _response, upload) => void this.finished(upload.id));
  }

  async onModuleInit(): Promise<void> {
    await mkdir(this.folder, { recursive: true });
  }

  /** Answers a request of the protocol. @throws ProblemError before anything of the body is read */
  async handle(principal: Principal, request: IncomingMessage, response: ServerResponse, id?: string): Promise<void> {
    if (request.method !== 'OPTIONS' && request.headers['tus-resumable'] !== TUS_VERSION) {
      const mend = `Send "Tus-Resumable: ${TUS_VERSION}", or use POST /api/v1/images for a plain form.`;
      throw invalidField('tus-resumable', 'This address speaks the tus protocol', mend, 412);
    }
    if (request.method === 'POST') await this.imports.refuseTooMany(principal.projectId);
    if (id !== undefined) {
      if (request.method === 'HEAD') await this.finishLate(await this.find(principal, id));
      const transfer = await this.find(principal, id);
      if (transfer.state !== 'receiving') return this.answerEnded(principal, transfer, request, response);
      if (request.method === 'DELETE') await this.transfers.cancel(principal.projectId, id);
    }
    const webRequest = new NodeRequest({ req: request, res: response });
    this.principals.set(webRequest, principal);
    const answer = await this.server.handleWeb(webRequest);
    if (id !== undefined && request.method === 'HEAD' && !answer.ok) {
      // The file may have been taken over since: then it is not where the protocol's server looks for it.
      const now = await this.find(principal, id);
      if (now.state !== 'receiving') return this.answerEnded(principal, now, request, response);
    }
    await sendNodeResponse(response, await withProblem(answer));
  }

  /** Ends a transfer of either kind, and drops what has arrived. */
  async cancel(principal: Principal, id: string): Promise<ImageTransfer> {
    const transfer = await this.imports.cancel(principal, id);
    // Not there: it was taken over, is an import, or was cancelled before.
    if (transfer.state === 'cancelled') await this.store.remove(transfer.id).catch(() => undefined);
    return transfer;
  }

  /** Removes what was begun and never finished. */
  async removeExpired(): Promise<number> {
    return this.server.cleanUpExpiredUploads();
  }

  private async find(principal: Principal, id: string): Promise<StoredTransfer> {
    const transfer = isUuid(id) ? await this.transfers.find(principal.projectId, id) : undefined;
    if (transfer?.kind !== 'upload') throw notFound(`upload "${id}"`);
    return transfer;
  }

  private async created(request: Request, upload: Upload): Promise<object> {
    const principal = this.principals.get(request);
    if (!principal) throw new Error('an upload without a principal');
    const metadata = uploadMetadataSchema.safeParse(upload.metadata ?? {});
    if (!metadata.success) throw invalidFields(fieldErrorsOf(metadata.error, 'upload-metadata'));
    const { filename, sha256, unpack } = metadata.data;
    await this.quotas.admitBytes(principal.projectId, upload.size ?? 0); // said now rather than after the last byte
    await this.transfers.create({
      id: upload.id,
      projectId: principal.projectId,
      kind: 'upload',
      name: filename,
      sizeBytes: upload.size ?? null,
      expectedSha256: sha256,
      unpack,
    });
    return {};
  }

  /** A client that lost the answer to its last bytes asks where it was, and is told that this was all. */
  private async answerEnded(
    principal: Principal,
    transfer: StoredTransfer,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    if (request.method === 'DELETE') {
      await this.cancel(principal, transfer.id);
      response.writeHead(204, { 'Tus-Resumable': TUS_VERSION }).end();
      return;
    }
    const done = transfer.state === 'checking' || transfer.state === 'stored';
    if (request.method !== 'HEAD' || !done) throw new ProblemError(410, `The upload "${transfer.id}" has ended`);
    const length = String(transfer.sizeBytes ?? 0);
    const headers = { 'Tus-Resumable': TUS_VERSION, 'Upload-Offset': length, 'Upload-Length': length };
    response.writeHead(200, { ...headers, 'Cache-Control': 'no-store' }).end();
  }

  /** The lab was stopped between the last byte and taking the file over. */
  private async finishLate({ id, state }: StoredTransfer): Promise<void> {
    if (state !== 'receiving') return;
    const upload = await this.store.getUpload(id).catch(() => undefined);
    if (upload?.size !== undefined && upload.offset === upload.size) await this.finished(id);
  }

  private async finished(id: string): Promise<void> {
    const { size = 0 } = await this.store.getUpload(id);
    if (!(await this.transfers.startChecking(id, size))) return; // cancelled, or somebody else has it
    const transfer = await this.transfers.byId(id);
    if (!transfer) return;
    await this.intake.run(transfer, async (signal) => {
      const file = path.join(this.blobs.stagingDir, randomUUID());
      await moveFile(path.join(this.folder, id), file);
      await rm(path.join(this.folder, `${id}.json`), { force: true });
      const staged = await this.intake.digest(file, transfer.name, signal).catch(async (error: unknown) => {
        await rm(file, { force: true });
        throw error;
      });
      await this.intake.store(transfer, staged, signal);
    });
  }

  private errorOf(error: Error | { status_code: number; body: string }): { status_code: number; body: string } {
    const problem = this.problemOf(error);
    return { status_code: problem.status, body: JSON.stringify(problem) };
  }

  private problemOf(error: Error | { status_code: number; body: string }): Problem {
    if (error instanceof ProblemError) return error.toProblem();
    if (error instanceof QuotaExceededError) return problemOfQuota(error).toProblem();
    if ('status_code' in error && error.status_code < 500) return problemOf(error.status_code, error.body.trim());
    this.logger.error('Upload', error instanceof Error ? error.stack : error.body);
    return problemOf(500, 'The lab failed to handle this upload; its log says why');
  }
}

/** Moves a file, also to another file system. */
async function moveFile(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    await copyFile(from, to);
    await rm(from, { force: true });
  }
}

/** The same answer, with an error as problem+json; those about headers come from the protocol's server as text. */
async function withProblem(answer: Response): Promise<Response> {
  if (answer.status < 400) return answer;
  const text = await answer.text();
  const headers = new Headers(answer.headers);
  headers.delete('content-length');
  headers.set('content-type', 'application/problem+json');
  const body = text.startsWith('{') ? text : JSON.stringify(problemOf(answer.status, text.trim()));
  return new Response(body, { status: answer.status, headers });
}
