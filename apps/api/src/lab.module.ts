import { Global, Logger, Module, type OnApplicationShutdown } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import {
  AdvisoryLocks,
  ArtifactStore,
  AuditLog,
  BadgeStore,
  ConsoleLogs,
  Identities,
  ImageStore,
  ImageTransfers,
  InvitationStore,
  JobStore,
  openBlobStore,
  openDatabase,
  openJobQueue,
  openLiveStreams,
  openTracing,
  ProjectStore,
  Quotas,
  readApiConfig,
  ResultStore,
  SessionStore,
  TokenStore,
  UploadedResults,
  UserStore,
  WebhookStore,
  type ApiConfig,
  type BlobStore,
  type Database,
  type JobQueue,
  type LabConfig,
  type LiveStreams,
  type Tracing,
} from '@bootlab/lab/server';
import { CONFIG } from './config.token.js';

export type { JobQueue } from '@bootlab/lab/server';

export const DATABASE = Symbol('Database');
export const STREAMS = Symbol('LiveStreams');
export const BLOBS = Symbol('BlobStore');
export const QUEUE = Symbol('JobQueue');
export const TRACING = Symbol('Tracing');

const logger = new Logger('Lab');
const report = (error: Error): void => logger.error(error.message);

const providers = [
  { provide: CONFIG, useFactory: (): ApiConfig => readApiConfig(process.env) },
  { provide: DATABASE, inject: [CONFIG], useFactory: (config: LabConfig) => openDatabase(config.databaseUrl) },
  { provide: STREAMS, inject: [CONFIG], useFactory: (config: LabConfig) => openLiveStreams(config, report) },
  { provide: BLOBS, inject: [CONFIG], useFactory: (config: LabConfig) => openBlobStore(config.blobUrl) },
  { provide: QUEUE, inject: [CONFIG], useFactory: (config: LabConfig) => openJobQueue(config, report) },
  {
    provide: TRACING,
    useFactory: () => openTracing('api', process.env, (message) => logger.warn(`traces: ${message}`)),
  },
  {
    provide: JobStore,
    inject: [DATABASE, STREAMS],
    useFactory: (database: Database, streams: LiveStreams) => new JobStore(database, streams),
  },
  {
    provide: UploadedResults,
    inject: [DATABASE, STREAMS],
    useFactory: (database: Database, streams: LiveStreams) => new UploadedResults(database, streams),
  },
  {
    provide: ImageStore,
    inject: [DATABASE, BLOBS],
    useFactory: (database: Database, blobs: BlobStore) => new ImageStore(database, blobs),
  },
  {
    provide: AdvisoryLocks,
    inject: [CONFIG],
    useFactory: (config: LabConfig) => new AdvisoryLocks(config.databaseUrl, report),
  },
  {
    provide: ArtifactStore,
    inject: [DATABASE, BLOBS],
    useFactory: (database: Database, blobs: BlobStore) => new ArtifactStore(database, blobs),
  },
  { provide: ImageTransfers, inject: [DATABASE], useFactory: (database: Database) => new ImageTransfers(database) },
  {
    provide: ConsoleLogs,
    inject: [DATABASE, STREAMS, BLOBS],
    useFactory: (database: Database, streams: LiveStreams, blobs: BlobStore) =>
      new ConsoleLogs(database, streams, blobs),
  },
  ...[
    AuditLog,
    BadgeStore,
    Identities,
    InvitationStore,
    Quotas,
    ResultStore,
    SessionStore,
    TokenStore,
    UserStore,
    WebhookStore,
  ].map((Store) => ({
    provide: Store,
    inject: [DATABASE],
    useFactory: (database: Database) => new Store(database),
  })),
  {
    provide: ProjectStore,
    inject: [DATABASE, Quotas],
    useFactory: (database: Database, quotas: Quotas) => new ProjectStore(database, quotas),
  },
];

/** Everything that API and workers share, as injectables. */
@Global()
@Module({ providers, exports: providers.map(({ provide }) => provide) })
export class LabModule implements OnApplicationShutdown {
  constructor(private readonly moduleRef: ModuleRef) {}

  async onApplicationShutdown(): Promise<void> {
    await this.moduleRef.get<Tracing>(TRACING).close();
    await this.moduleRef.get<JobQueue>(QUEUE).close();
    await this.moduleRef.get(AdvisoryLocks).close();
    await this.moduleRef.get<LiveStreams>(STREAMS).close();
    await this.moduleRef.get<Database>(DATABASE).$disconnect();
  }
}
