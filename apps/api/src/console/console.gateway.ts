import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import proxyAddress from '@fastify/proxy-addr';
import { HttpAdapterHost } from '@nestjs/core';
import { AuditLog, ConsoleLogs, JobStore, type Identity, type Principal } from '@bootlab/lab/server';
import { WebSocketServer, type WebSocket } from 'ws';
import { Authenticator } from '../auth/authenticator.js';
import { RightsWatch } from '../auth/rights-watch.js';
import { isSameOrigin } from '../auth/same-origin.js';
import { CONFIG, type ApiConfig } from '../config.token.js';
import { JobsService } from '../jobs/jobs.service.js';
import { ConsoleSession } from './console-session.js';

const PATH = /^\/api\/v1\/jobs\/([0-9a-f-]{36})\/console$/;
const MAX_MESSAGE_BYTES = 64 * 1024;
const PING_MS = 20_000;

/** WebSockets at /api/v1/jobs/:id/console, on the API's own port. Nest's adapter knows only fixed paths. */
@Injectable()
export class ConsoleGateway implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(ConsoleGateway.name);
  private readonly sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false, // costs latency on every key stroke
  });
  private readonly alive = new WeakSet<WebSocket>();
  private pings: NodeJS.Timeout | undefined;

  constructor(
    private readonly host: HttpAdapterHost,
    private readonly logs: ConsoleLogs,
    private readonly jobStore: JobStore,
    private readonly jobs: JobsService,
    private readonly authenticator: Authenticator,
    private readonly rights: RightsWatch,
    private readonly audit: AuditLog,
    @Inject(CONFIG) private readonly config: ApiConfig,
  ) {}

  onApplicationBootstrap(): void {
    const server = this.host.httpAdapter.getHttpServer() as Server;
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      const jobId = PATH.exec((request.url ?? '').split('?')[0] ?? '')?.[1];
      if (jobId === undefined) {
        socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
        return;
      }
      this.sockets.handleUpgrade(request, socket, head, (webSocket) => this.accept(webSocket, jobId, request));
    });
    this.pings = setInterval(() => this.ping(), PING_MS);
  }

  onApplicationShutdown(): void {
    clearInterval(this.pings);
    for (const webSocket of this.sockets.clients) webSocket.close(1001, 'The lab is shutting down');
    this.sockets.close();
  }

  private accept(webSocket: WebSocket, jobId: string, request: IncomingMessage): void {
    this.alive.add(webSocket);
    webSocket.on('pong', () => this.alive.add(webSocket));
    webSocket.on('error', (error) => this.logger.debug(`Console of job ${jobId}: ${error.message}`));
    // Browsers let pages of any site open WebSockets, and send the cookie along.
    const cookieIdentity = async (): Promise<Identity | undefined> =>
      isSameOrigin(request.headers, this.config.publicUrl) ? this.authenticator.ofCookie(request.headers) : undefined;
    const origin = {
      address: proxyAddress(request, this.config.trustedProxies),
      userAgent: request.headers['user-agent'] ?? '',
    };
    const typed = ({ projectId, label, userId, tokenId }: Principal): Promise<void> =>
      this.audit.write({
        projectId,
        actor: label,
        userId,
        tokenId,
        action: 'console.type',
        target: jobId,
        status: 101,
        origin,
      });
    new ConsoleSession(
      webSocket,
      jobId,
      this.authenticator,
      cookieIdentity,
      this.rights,
      typed,
      this.jobStore,
      this.jobs,
      this.logs,
    ).start();
  }

  private ping(): void {
    for (const webSocket of this.sockets.clients) {
      if (this.alive.delete(webSocket)) webSocket.ping();
      else webSocket.terminate(); // no answer to the last ping
    }
  }
}
