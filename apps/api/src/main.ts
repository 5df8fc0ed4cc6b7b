import 'reflect-metadata';
import { openLog } from '@bootlab/lab/server';
import { CONFIG, type LabConfig } from './config.token.js';
import { createApp } from './app.js';
import { NestLog } from './operations/nest-log.js';

const log = openLog('api');
const app = await createApp({ logger: new NestLog(log) });
const { host, port } = app.get<LabConfig>(CONFIG);
await app.listen(port, host);
log.info({ url: await app.getUrl() }, 'listening');
// Whoever started us and keeps a channel open is told, and takes us along when it dies.
process.send?.({ type: 'listening', url: await app.getUrl() });

let stopping = false;
const stop = async (): Promise<void> => {
  if (stopping) return;
  stopping = true;
  await app.close();
  process.exit(0);
};
process.on('SIGTERM', () => void stop());
process.on('SIGINT', () => void stop());
process.on('disconnect', () => void stop());
