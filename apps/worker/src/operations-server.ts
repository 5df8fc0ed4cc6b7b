import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { Metrics } from '@bootlab/lab/server';

/** Health and metrics of a worker, for whoever runs it: numbers only, nothing of any job. */
export async function serveOperations(port: number, host: string, metrics: Metrics): Promise<Server> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0];
    if (path === '/healthz' || path === '/readyz') {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"status":"ok"}');
    } else if (path === '/metrics') {
      metrics.text().then(
        (text) => response.writeHead(200, { 'content-type': metrics.contentType }).end(text),
        () => response.writeHead(500).end(),
      );
    } else response.writeHead(404).end();
  });
  server.listen(port, host);
  await once(server, 'listening');
  return server;
}
