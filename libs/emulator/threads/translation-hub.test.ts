import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import type { MessagePort } from 'node:worker_threads';
import type { CompiledRegion } from '../accel/jit/index.js';
import type { FromHub, ToHub } from './protocol.js';
import { connectToHub, TranslationHub } from './translation-hub.js';

const EMPTY_MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

const region = (entry: number, word: number): CompiledRegion => ({
  name: 'r0',
  modeKey: 0,
  window: undefined,
  instructions: 1,
  wasmBytes: 10,
  entries: [entry],
  pages: [[entry & -4096, 0]],
  places: [],
  addresses: Uint32Array.of(entry),
  words: Uint32Array.of(word),
  calls: [],
  tableTargets: [],
  strays: [],
  joined: false,
});
const made = (...regions: CompiledRegion[]): ToHub => ({
  made: [
    {
      bytes: EMPTY_MODULE,
      module: new WebAssembly.Module(EMPTY_MODULE),
      memory: { pages: 1, shared: true },
      regions,
    },
  ],
  putOff: new Map(),
});

const ports: MessagePort[] = [];
afterEach(() => ports.splice(0).forEach((port) => port.close()));

/** A board, and what it is told when it comes. */
async function open(hub: TranslationHub, key: string): Promise<{ port: MessagePort; known: number[] }> {
  const thread = hub.connect();
  const port = connectToHub(thread, key);
  ports.push(thread, port);
  return { port, known: await heard(port) };
}
const board = async (hub: TranslationHub, key = 'image'): Promise<MessagePort> => (await open(hub, key)).port;
const known = async (hub: TranslationHub, key = 'image'): Promise<number[]> => (await open(hub, key)).known;
const entriesOf = ({ modules }: FromHub): number[] =>
  modules.flatMap(({ made }) => made.regions.map(({ entries }) => entries[0] ?? -1));

/** What a board hears next. */
async function heard(port: MessagePort): Promise<number[]> {
  const [message] = (await once(port, 'message')) as [FromHub];
  return entriesOf(message);
}

describe('a hub of translations', () => {
  it('says so when it has nothing, too: boards wait for it', async () => {
    expect(await known(new TranslationHub(undefined))).toEqual([]);
  });

  it('tells each board of a key what the others made, at once and when it comes', async () => {
    const hub = new TranslationHub(undefined);
    const [first, second, other] = [await board(hub), await board(hub), await board(hub, 'another')];
    let elsewhere = 0;
    other.on('message', () => (elsewhere += 1));
    const told = heard(second);
    first.postMessage(made(region(0x1000, 1)));
    expect(await told).toEqual([0x1000]);
    expect(await known(hub)).toEqual([0x1000]);
    expect(elsewhere).toBe(0);
  });

  it('tells who comes later what was asked for in vain', async () => {
    const hub = new TranslationHub(undefined);
    const [first, second] = [await board(hub), await board(hub)];
    const told = heard(second);
    first.postMessage({ made: [], putOff: new Map([['a', 'covered']]) } satisfies ToHub);
    first.postMessage({ ...made(region(0x1000, 1)), putOff: new Map([['b', 'postponed']]) } satisfies ToHub);
    await told;
    const third = connectToHub(hub.connect(), 'image');
    ports.push(third);
    const [message] = (await once(third, 'message')) as [FromHub];
    expect([...message.putOff]).toEqual([
      ['a', 'covered'],
      ['b', 'postponed'],
    ]);
  });

  it('has what was made of what it had in its place, and nothing that was said of that', async () => {
    const hub = new TranslationHub(undefined);
    const [first, second] = [await board(hub), await board(hub)];
    const told = heard(second);
    const pieces = made(region(0x1000, 1), region(0x2000, 2));
    first.postMessage({ ...pieces, putOff: new Map([['place', 'covered']]) } satisfies ToHub);
    await told;
    const joined = heard(second);
    // Only one of the two regions of the module is replaced.
    const replaced = [region(0x1000, 1), region(0x9000, 9)];
    first.postMessage({ ...made(region(0x3000, 3)), replaced } satisfies ToHub);
    expect(await joined).toEqual([0x3000]);
    const third = connectToHub(hub.connect(), 'image');
    ports.push(third);
    const [message] = (await once(third, 'message')) as [FromHub];
    expect(entriesOf(message)).toEqual([0x2000, 0x3000]);
    expect(message.putOff.size).toBe(0);
  });

  it('keeps once what several boards made of the same code', async () => {
    const hub = new TranslationHub(undefined);
    const [first, second] = [await board(hub), await board(hub)];
    const told = heard(second);
    first.postMessage(made(region(0x1000, 1)));
    await told;
    // A module counts as a whole: what it has beside the known region is not lost.
    const messages = [made(region(0x1000, 1)), made(region(0x1000, 2)), made(region(0x1000, 1), region(0x2000, 3))];
    const rest: number[][] = [];
    const all = new Promise<void>((resolve) => {
      first.on('message', (message: FromHub) => {
        rest.push(entriesOf(message));
        if (rest.length === 2) resolve();
      });
    });
    for (const message of messages) second.postMessage(message);
    await all;
    expect(rest).toEqual([[0x1000], [0x1000, 0x2000]]);
    expect(await known(hub)).toEqual([0x1000, 0x1000, 0x1000, 0x2000]);
  });
});
