import { controlMessageSchema, type ControlMessage } from '../index.js';
import { controlStream } from './topics.js';
import type { LiveStreams } from './streams/live-streams.js';

/** Says something to the worker that runs a job, or will run it. */
export async function sendControl(streams: LiveStreams, jobId: string, message: ControlMessage): Promise<void> {
  await streams.append(controlStream(jobId), [Buffer.from(JSON.stringify(message))]);
}

/** Control messages of a job from number `from` on, as they arrive. */
export async function* followControl(
  streams: LiveStreams,
  jobId: string,
  from: number,
  signal: AbortSignal,
): AsyncGenerator<ControlMessage, void, undefined> {
  for await (const entries of streams.follow(controlStream(jobId), from, signal)) {
    for (const entry of entries) yield controlMessageSchema.parse(JSON.parse(entry.data.toString()));
  }
}
