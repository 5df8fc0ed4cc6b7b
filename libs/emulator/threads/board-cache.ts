import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import type { JoinedRegions, KeptModule, PutOff } from '../accel/index.js';
import { withoutRegions } from '../accel/index.js';
import type { CacheFolder } from './cache-folder.js';
import type { FromHub, ToHub } from './protocol.js';
import { release } from './release.js';
import { TranslationFiles } from './translation-files.js';
import { connectToHub } from './translation-hub.js';

/** Fewer news than this are not worth writing a file of megabytes anew. */
const WORTH_KEEPING = 8;
const NOTHING_JOINED: JoinedRegions = { made: [], replaced: [] };

/** Where translations of earlier runs and of other boards come from, and go to. */
export type TranslationCache =
  | { readonly kind: 'files'; readonly folder: CacheFolder }
  /** A port of a `TranslationHub`: boards of a process share what they translate. */
  | { readonly kind: 'hub'; readonly port: MessagePort };

/** One board's view of a cache. */
export interface BoardCache {
  /** What came since it was last asked, at first everything there is; undefined: nothing. Never waits. */
  poll(): FromHub | undefined;
  keep(made: KeptModule): void;
  /** Keeps what was made of what there was, in its place. */
  join(joined: JoinedRegions): void;
  /** @param place where something was asked for in vain, see `KeptTranslations` */
  putOff(place: string, why: PutOff): void;
  /** The board is closed: what it made is to be remembered. */
  close(): void;
}

export const openCache = (cache: TranslationCache, key: string): BoardCache =>
  cache.kind === 'files' ? new FileCache(cache.folder, key) : new HubCache(connectToHub(cache.port, key));

class FileCache implements BoardCache {
  readonly #made: KeptModule[] = [];
  readonly #putOff = new Map<string, PutOff>();
  #joined: JoinedRegions | undefined;
  #read = false;

  constructor(
    private readonly folder: CacheFolder,
    private readonly key: string,
  ) {}

  poll(): FromHub | undefined {
    if (this.#read) return undefined;
    this.#read = true;
    const { modules, putOff } = new TranslationFiles(this.folder).loadApart(this.key);
    const shared = modules.map(({ module, regions, bytes }) => ({
      made: { module, regions },
      wasmBytes: bytes.length,
    }));
    for (const { bytes } of modules) release(bytes); // who writes them again reads them again
    return { modules: shared, putOff };
  }

  keep(made: KeptModule): void {
    this.#made.push(made);
  }

  join(joined: JoinedRegions): void {
    this.#joined = joined;
  }

  putOff(place: string, why: PutOff): void {
    this.#putOff.set(place, why);
  }

  /** Reads the file again rather than hold megabytes for so long; its modules are those in use, with what V8 made of them. */
  close(): void {
    if (!this.#read) return; // it was closed before it ran
    const files = new TranslationFiles(this.folder);
    const kept = files.load(this.key);
    const { replaced, made } = this.#joined ?? NOTHING_JOINED;
    const modules = [...withoutRegions(kept.modules, replaced), ...made, ...this.#made];
    const putOff = new Map([...(this.#joined ? [] : kept.putOff), ...this.#putOff]);
    const news = made.length + this.#made.length + this.#putOff.size;
    if (modules.length === 0) return;
    files.update(this.key, { modules, putOff }, news >= (kept.modules.length === 0 ? 1 : WORTH_KEEPING));
  }
}

class HubCache implements BoardCache {
  constructor(private readonly port: MessagePort) {}

  poll(): FromHub | undefined {
    return receiveMessageOnPort(this.port)?.message as FromHub | undefined; // a hub posts nothing else
  }

  keep(made: KeptModule): void {
    this.#tell({ made: [made], putOff: new Map() });
  }

  join({ made, replaced }: JoinedRegions): void {
    this.#tell({ made, replaced, putOff: new Map() });
  }

  putOff(place: string, why: PutOff): void {
    this.#tell({ made: [], putOff: new Map([[place, why]]) });
  }

  close(): void {
    this.port.close();
  }

  #tell(news: ToHub): void {
    this.port.postMessage(news);
  }
}
