import { describe, expect, it } from '@jest/globals';
import { UploadQueue, type SenderEvents } from './upload-queue.js';

/** A queue whose senders do nothing but remember what they were told. */
function testQueue() {
  const queue = new UploadQueue();
  const told: string[] = [];
  const events = new Map<string, SenderEvents>();
  const add = (name: string) =>
    queue.add({ name, size: 100 }, (senderEvents) => {
      events.set(name, senderEvents);
      const tell = (what: string) => () => void told.push(`${what} ${name}`);
      return { start: tell('start'), pause: tell('pause'), cancel: tell('cancel') };
    });
  const key = (name: string) => queue.snapshot().find((upload) => upload.name === name)?.key ?? NaN;
  const states = () => queue.snapshot().map(({ name, state }) => `${name} ${state}`);
  const of = (name: string): SenderEvents => {
    const found = events.get(name);
    if (!found) throw new Error(`no sender of ${name}`);
    return found;
  };
  return { queue, told, add, key, states, of };
}

describe('the upload queue', () => {
  it('sends one file after the other', () => {
    const { add, told, states, of } = testQueue();
    add('a');
    add('b');
    expect(states()).toEqual(['a sending', 'b waiting']);
    of('a').sent();
    expect(states()).toEqual(['a sent', 'b sending']);
    of('b').failed('no room');
    expect(states()).toEqual(['a sent', 'b failed']);
    expect(told).toEqual(['start a', 'start b']);
  });

  it('lets the next one go while one pauses, and goes on in line', () => {
    const { add, queue, told, states, key, of } = testQueue();
    add('a');
    add('b');
    queue.pause(key('a'));
    expect(states()).toEqual(['a paused', 'b sending']);
    queue.resume(key('a'));
    expect(states()).toEqual(['a waiting', 'b sending']);
    of('b').sent();
    expect(states()).toEqual(['a sending', 'b sent']);
    expect(told).toEqual(['start a', 'pause a', 'start b', 'start a']);
  });

  it('knows how far each is, and which transfer of the lab it is', () => {
    const { add, queue, of } = testQueue();
    add('a');
    of('a').begun('t-1');
    of('a').progress(40);
    expect(queue.snapshot()[0]).toMatchObject({ transferId: 't-1', sentBytes: 40 });
    of('a').sent();
    expect(queue.snapshot()[0]).toMatchObject({ sentBytes: 100 });
  });

  it('forgets the error of an upload that is tried again', () => {
    const { add, queue, key, of } = testQueue();
    add('a');
    of('a').failed('the lab does not answer');
    expect(queue.snapshot()[0]?.error).toBe('the lab does not answer');
    queue.resume(key('a'));
    expect(queue.snapshot()[0]).not.toHaveProperty('error');
  });

  it('gives up what is dropped, unless the lab has it already', () => {
    const { add, queue, told, states, key, of } = testQueue();
    add('a');
    add('b');
    queue.remove(key('a'));
    expect(states()).toEqual(['b sending']);
    of('a').progress(50); // too late
    expect(states()).toEqual(['b sending']);
    of('b').sent();
    queue.remove(key('b'));
    expect(told).toEqual(['start a', 'cancel a', 'start b']);
    expect(queue.snapshot()).toEqual([]);
  });

  it('is busy while something is on its way', () => {
    const { add, queue, key } = testQueue();
    expect(queue.busy()).toBe(false);
    add('a');
    expect(queue.busy()).toBe(true);
    queue.pause(key('a'));
    expect(queue.busy()).toBe(false);
  });

  it('tells its listeners, with a new snapshot each time', () => {
    const { add, queue, of } = testQueue();
    const snapshots: unknown[] = [];
    const stop = queue.subscribe(() => snapshots.push(queue.snapshot()));
    add('a');
    of('a').progress(1);
    stop();
    of('a').progress(2);
    expect(new Set(snapshots).size).toBe(3);
  });
});
