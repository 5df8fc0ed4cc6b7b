import 'reflect-metadata';
import { CONFIG, type LabConfig } from './config.token.js';
import { createApp } from './app.js';

const app = await createApp();
const { host, port } = app.get<LabConfig>(CONFIG);
await app.listen(port, host);
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
