import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Job } from '@bootlab/lab';
import { eventually } from '@bootlab/lab/testing';
import { LabClient } from './client.js';
import { followJobs } from './follow.js';

// A lab of which a test says how its jobs stand, and whether it tells of that by itself.

let server: Server;
let states: Record<string, Job['state']>;
let asked: string[];
let listeners: ServerResponse[];
/** Answers requests for events; undefined: as a lab does. */
let refuse: number | undefined;

beforeEach(async () => {
  [states, asked, listeners, refuse] = [{ a: 'running', b: 'queued' }, [], [], undefined];
  server = createServer((request, response) => {
    if (request.url === '/api/v1/events') {
      if (refuse !== undefined) {
        response.writeHead(refuse).end();
        return;
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': listening\n\n');
      listeners.push(response);
      return;
    }
    const id = request.url?.split('/').at(-1) ?? '';
    asked.push(id);
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ id, state: states[id] }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  server.close();
  server.closeAllConnections();
});

function follow(ids: string[], signal = new AbortController().signal) {
  const { port } = server.address() as AddressInfo;
  const client = new LabClient({ url: `http://127.0.0.1:${port}`, token: 't', project: undefined }, '1');
  return followJobs(client, ids, { update: () => undefined, close: () => undefined }, signal);
}

/** The lab tells of a change. */
function becomes(id: string, state: Job['state']): void {
  states[id] = state;
  for (const listener of listeners) listener.write(`event: job\nid: x\ndata: {"id":"${id}"}\n\n`);
}
const listening = () => eventually(() => listeners.length > 0, 'somebody who listens');
const countOf = (id: string): number => asked.filter((each) => each === id).length;

it('asks for a job when the lab tells that it has changed, and for no other', async () => {
  const jobs = follow(['a', 'b']);
  await listening();
  await eventually(() => countOf('b') > 0, 'the first look');
  // One more look at all once it listens: what happened before is told of by nobody.
  await new Promise((resolve) => setTimeout(resolve, 300));
  const before = [countOf('a'), countOf('b')];
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect([countOf('a'), countOf('b')]).toEqual(before); // it does not poll
  const changedAt = performance.now();
  becomes('a', 'ended');
  await eventually(() => countOf('a') > (before[0] ?? 0), 'a look at a');
  expect(performance.now() - changedAt).toBeLessThan(1000);
  expect(countOf('b')).toBe(before[1]);
  becomes('other', 'ended');
  becomes('b', 'ended');
  expect((await jobs).map(({ state }) => state)).toEqual(['ended', 'ended']);
});

it('asks by itself while the lab tells nothing: the stream is refused, or has broken', async () => {
  refuse = 404;
  const refused = follow(['a']);
  await eventually(() => countOf('a') > 1, 'a second look');
  states['a'] = 'ended';
  await refused;
  [refuse, states] = [undefined, { b: 'running' }];
  const broken = follow(['b']);
  await listening();
  refuse = 503;
  for (const listener of listeners) listener.destroy();
  states['b'] = 'ended';
  await broken;
}, 20_000);

it('ends with the reason when it is interrupted', async () => {
  const abort = new AbortController();
  const jobs = follow(['a'], abort.signal);
  await listening();
  abort.abort(new Error('SIGINT'));
  await expect(jobs).rejects.toThrow('SIGINT');
});
