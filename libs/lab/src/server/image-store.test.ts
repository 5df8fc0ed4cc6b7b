import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { startTestDatabase, temporaryFolder, type TestService } from '../testing/index.js';
import { imageKey, openBlobStore, type BlobStore } from './blobs.js';
import { openDatabase, type Database } from './database.js';
import { ImageInUseError, ImageStore, type CollectOptions } from './image-store.js';

jest.setTimeout(60_000); // a busy machine must not fail them

const HOUR_MS = 3_600_000;
const NOW: CollectOptions = { retentionMs: 1000 * HOUR_MS, graceMs: 0 };
const INSPECTION = { type: 'firmware-raw', description: 'bytes' };

let postgres: TestService;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let database: Database;
let blobs: BlobStore;
let store: ImageStore;
let projectId: string;

beforeAll(async () => {
  [postgres, folder] = await Promise.all([startTestDatabase(), temporaryFolder()]);
  database = openDatabase(postgres.url);
  blobs = await openBlobStore(pathToFileURL(folder.path).href);
  store = new ImageStore(database, blobs);
  projectId = await newProject();
}, 60_000);
afterAll(async () => {
  await database.$disconnect();
  await postgres.stop();
  await folder.remove();
});

async function newProject(): Promise<string> {
  return (await database.project.create({ data: { name: randomUUID() } })).id;
}

async function add(bytes: Buffer = randomBytes(100), { to = store, project = projectId, name = 'a.img' } = {}) {
  const staged = await to.stage(Readable.from([bytes]), name, 2 ** 20);
  return to.commit(project, staged, INSPECTION, 'Uploaded');
}

async function addJob(imageId: string, state: 'queued' | 'running' | 'ended', endedAt: Date | null = null) {
  return database.job.create({
    data: {
      projectId,
      name: 'job',
      state,
      spec: {},
      endedAt,
      images: { create: [{ role: 'kernel', imageId }] },
    },
  });
}

const age = (id: string, ms: number) =>
  database.image.update({ where: { id }, data: { lastUsedAt: new Date(Date.now() - ms) } });
const stored = (sha256: string) => blobs.has(imageKey(sha256));

describe('the library', () => {
  it('stores bytes once, however many projects have them', async () => {
    const bytes = randomBytes(50);
    const [mine, theirs] = [await add(bytes), await add(bytes, { project: await newProject() })];
    expect(mine.sha256).toBe(theirs.sha256);
    expect(mine.id).not.toBe(theirs.id);
    expect(await buffer(await store.read(mine.sha256))).toEqual(bytes);
  });

  it('shows no project the images of another', async () => {
    const image = await add();
    const other = await newProject();
    expect(await store.find(other, { id: image.id })).toBeUndefined();
    expect(await store.use(other, { sha256: image.sha256 })).toBeUndefined();
    expect(await store.change(other, image.id, { name: 'mine' })).toBeUndefined();
    expect(await store.remove(other, image.id)).toBe(false);
    expect((await store.list(other, { limit: 10 })).items).toEqual([]);
  });

  it('changes names, and what is kept', async () => {
    const { id } = await add();
    expect(await store.change(projectId, id, { name: 'new', kept: true })).toMatchObject({ name: 'new', kept: true });
    expect(await store.change(projectId, id, { kept: false })).toMatchObject({ name: 'new', kept: false });
  });

  it('lists what was not removed, and brings back what is uploaded again', async () => {
    const bytes = randomBytes(60);
    const image = await add(bytes);
    expect(await store.remove(projectId, image.id)).toBe(true);
    expect(await store.remove(projectId, image.id)).toBe(false);
    const ids = async () => (await store.list(projectId, { limit: 100 })).items.map(({ id }) => id);
    expect(await ids()).not.toContain(image.id);
    expect(await store.use(projectId, { sha256: image.sha256 })).toBeUndefined();
    const again = await add(bytes, { name: 'again.img' });
    expect(again).toMatchObject({ id: image.id, name: 'again.img', removedAt: null });
    expect((await ids())[0]).toBe(image.id);
  });
});

describe('removing', () => {
  it('is refused while a job needs the image', async () => {
    const image = await add();
    const job = await addJob(image.id, 'running');
    await expect(store.remove(projectId, image.id)).rejects.toThrow(ImageInUseError);
    await database.job.update({ where: { id: job.id }, data: { state: 'ended', endedAt: new Date() } });
    expect(await store.remove(projectId, image.id)).toBe(true);
    await store.collect(NOW);
    expect(await stored(image.sha256)).toBe(false);
    expect(await store.find(projectId, { id: image.id })).toMatchObject({ name: 'a.img' }); // the job still shows it
  });

  it('leaves bytes that another project has', async () => {
    const bytes = randomBytes(70);
    const image = await add(bytes);
    await add(bytes, { project: await newProject() });
    await store.remove(projectId, image.id);
    await store.collect(NOW);
    expect(await stored(image.sha256)).toBe(true);
    expect(await store.find(projectId, { id: image.id })).toBeUndefined(); // no job shows it
  });

  it('leaves bytes for the grace', async () => {
    const image = await add();
    await store.remove(projectId, image.id);
    await store.collect({ ...NOW, graceMs: HOUR_MS });
    expect(await stored(image.sha256)).toBe(true);
    await store.collect(NOW);
    expect(await stored(image.sha256)).toBe(false);
  });

  it('leaves bytes that a job still needs, when it was submitted at that moment', async () => {
    const image = await add();
    await store.remove(projectId, image.id);
    const job = await addJob(image.id, 'queued');
    await store.collect(NOW);
    expect(await stored(image.sha256)).toBe(true);
    await database.job.update({ where: { id: job.id }, data: { state: 'ended', endedAt: new Date() } });
    await store.collect(NOW);
    expect(await stored(image.sha256)).toBe(false);
  });
});

describe('retention', () => {
  const retention = { retentionMs: 10 * HOUR_MS, graceMs: 0 };

  it('takes out what nobody has used for as long as that', async () => {
    const [old, young, kept] = [await add(), await add(), await add()];
    await age(old.id, 11 * HOUR_MS);
    await age(young.id, 9 * HOUR_MS);
    await age(kept.id, 11 * HOUR_MS);
    await store.change(projectId, kept.id, { kept: true });
    await store.collect(retention);
    expect(await stored(old.sha256)).toBe(false);
    expect(await stored(young.sha256)).toBe(true);
    expect(await stored(kept.sha256)).toBe(true);
  });

  it('keeps what jobs of that time use, and what unfinished ones use', async () => {
    const images = [await add(), await add(), await add()] as const;
    for (const { id } of images) await age(id, 1000 * HOUR_MS);
    await addJob(images[0].id, 'ended', new Date(Date.now() - 9 * HOUR_MS));
    await addJob(images[1].id, 'queued');
    await addJob(images[2].id, 'ended', new Date(Date.now() - 11 * HOUR_MS));
    await store.collect(retention);
    expect(await Promise.all(images.map(({ sha256 }) => stored(sha256)))).toEqual([true, true, false]);
  });

  it('begins anew when the image is uploaded or named again', async () => {
    const bytes = randomBytes(80);
    const [uploaded, named] = [await add(bytes), await add()];
    await age(uploaded.id, 11 * HOUR_MS);
    await age(named.id, 11 * HOUR_MS);
    await add(bytes);
    expect(await store.use(projectId, { id: named.id })).toBeDefined();
    await store.collect(retention);
    expect(await stored(uploaded.sha256)).toBe(true);
    expect(await stored(named.sha256)).toBe(true);
  });

  it('is each project’s own', async () => {
    const patient = await newProject();
    await store.setRetentionDays(patient, 30);
    const image = await add(randomBytes(90), { project: patient });
    await age(image.id, 11 * HOUR_MS);
    await store.collect(retention);
    expect(await stored(image.sha256)).toBe(true);
    await age(image.id, 31 * 24 * HOUR_MS);
    await store.collect(retention);
    expect(await stored(image.sha256)).toBe(false);
  });
});

/** A blob store that stops at one of its methods until it is told to go on. */
function pausing(at: 'has' | 'delete') {
  let reached!: () => void;
  let goOn!: () => void;
  const isReached = new Promise<void>((resolve) => (reached = resolve));
  const mayGoOn = new Promise<void>((resolve) => (goOn = resolve));
  const pausedBlobs: BlobStore = {
    stagingDir: blobs.stagingDir,
    putFile: (key, file) => blobs.putFile(key, file),
    put: (key, bytes) => blobs.put(key, bytes),
    read: (key) => blobs.read(key),
    localPath: (key) => blobs.localPath(key),
    async has(key) {
      const answer = await blobs.has(key);
      if (at === 'has') {
        reached();
        await mayGoOn;
      }
      return answer;
    },
    async delete(key) {
      if (at === 'delete') {
        reached();
        await mayGoOn;
      }
      await blobs.delete(key);
    },
  };
  return { store: new ImageStore(database, pausedBlobs), isReached, goOn };
}

describe('collection beside uploads', () => {
  it('leaves bytes alone that an upload has just found to be there', async () => {
    const bytes = randomBytes(100);
    const image = await add(bytes);
    await store.remove(projectId, image.id);
    await database.blob.update({ where: { sha256: image.sha256 }, data: { touchedAt: new Date(0) } });

    const upload = pausing('has');
    const again = add(bytes, { to: upload.store });
    await upload.isReached; // it knows that the bytes are there, and has not written its row
    await store.collect({ ...NOW, graceMs: HOUR_MS });
    upload.goOn();
    expect(await stored((await again).sha256)).toBe(true);
  });

  it('makes an upload wait for bytes that are being deleted, which then stores its own', async () => {
    const bytes = randomBytes(100);
    const image = await add(bytes);
    await store.remove(projectId, image.id);

    const collection = pausing('delete');
    const collecting = collection.store.collect(NOW);
    await collection.isReached;
    const again = add(bytes);
    const first = await Promise.race([again.then(() => 'upload'), new Promise((go) => setTimeout(go, 200, 'waits'))]);
    expect(first).toBe('waits');
    collection.goOn();
    await collecting;
    expect(await stored((await again).sha256)).toBe(true);
    expect(await buffer(await store.read(image.sha256))).toEqual(bytes);
  });

  it('loses nothing when both go on all the time', async () => {
    const contents = Array.from({ length: 4 }, () => randomBytes(50));
    let uploading = true;
    const collectors = [1, 2].map(async () => {
      while (uploading) {
        const { blobErrors } = await store.collect({ ...NOW, graceMs: 5000 });
        expect(blobErrors).toEqual([]);
      }
    });
    const uploaders = contents.map(async (bytes) => {
      for (let round = 0; round < 15; round++) {
        const image = await add(bytes);
        expect(await stored(image.sha256)).toBe(true);
        await store.remove(projectId, image.id);
        // As if nobody had touched them for long: the next collection may take them, in the middle of the next upload.
        await database.blob.updateMany({ where: { sha256: image.sha256 }, data: { touchedAt: new Date(0) } });
      }
      return add(bytes);
    });
    const images = await Promise.all(uploaders);
    uploading = false;
    await Promise.all(collectors);
    for (const { sha256 } of images) expect(await stored(sha256)).toBe(true);
  });

  it('goes on after bytes that cannot be deleted', async () => {
    const [first, second] = [await add(), await add()];
    for (const { id } of [first, second]) await store.remove(projectId, id);
    const stubborn: BlobStore = Object.assign(Object.create(blobs) as BlobStore, {
      delete: (key: string) =>
        key === imageKey(first.sha256) ? Promise.reject(new Error('no such bucket')) : blobs.delete(key),
    });
    const { blobErrors } = await new ImageStore(database, stubborn).collect(NOW);
    expect(blobErrors).toHaveLength(1);
    expect([await stored(first.sha256), await stored(second.sha256)]).toEqual([true, false]);
    await store.collect(NOW); // the row is still there, so they are not forgotten
    expect(await stored(first.sha256)).toBe(false);
  });
});

it('deletes what it knows, not what it finds', async () => {
  const unrelated = path.join(folder.path, 'unrelated');
  await writeFile(unrelated, '');
  await store.collect(NOW);
  expect(existsSync(unrelated)).toBe(true);
});
