import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { RegionSet, withoutRegions, type CompiledRegion, type KeptModule, type PutOff } from '../accel/jit/index.js';
import type { FromHub, ToHub } from './protocol.js';
import type { CacheFolder } from './cache-folder.js';
import { TranslationFiles } from './translation-files.js';

/** Wasm bytes that are held for images that no board runs at present. */
const IDLE_BYTES = 64 << 20;

/** What a thread that runs boards posts to its hub: a translator's connection. */
interface Connection {
  readonly key: string;
  readonly port: MessagePort;
}

interface Shelf {
  readonly modules: KeptModule[];
  /** All their regions. */
  readonly regions: RegionSet;
  /** See `KeptTranslations`. */
  readonly putOff: Map<string, PutOff>;
  readonly boards: Set<MessagePort>;
  /** Something came that no file has. */
  added: boolean;
  /** There may be machine code that no file has. */
  improving: boolean;
}

/**
 * Lets the boards of a process share translations while they run: what one board translates all others that boot the same
 * get at once, compiled. A module that was posted to a thread shares its machine code, which V8 goes on to improve, with
 * all others. Lives in the process's main thread.
 */
export class TranslationHub {
  readonly #files: TranslationFiles | undefined;
  /** By key; the one used last comes last. */
  readonly #shelves = new Map<string, Shelf>();

  /** @param folder where translations are kept between runs; without it they end with the process */
  constructor(folder: CacheFolder | undefined) {
    this.#files = folder && new TranslationFiles(folder);
  }

  /** A port for a thread that runs boards, see `TranslationCache`. */
  connect(): MessagePort {
    const { port1, port2 } = new MessageChannel();
    port1.on('message', ({ key, port }: Connection) => this.#serve(key, port));
    port1.unref();
    return port2;
  }

  #serve(key: string, port: MessagePort): void {
    const shelf = this.#shelf(key);
    shelf.boards.add(port);
    port.on('message', (message: ToHub) => this.#hear(shelf, port, message));
    port.on('close', () => {
      shelf.boards.delete(port);
      if (shelf.improving) shelf.improving = this.#write(key, shelf);
      shelf.added = false;
      this.#forget();
    });
    port.unref();
    send(port, shelf.modules, shelf.putOff); // also if there is nothing: it waits for this
  }

  /** @returns whether there was anything new to write */
  #write(key: string, shelf: Shelf): boolean {
    return this.#files?.update(key, shelf, shelf.added) ?? false;
  }

  #shelf(key: string): Shelf {
    let shelf = this.#shelves.get(key);
    if (!shelf) {
      const kept = this.#files?.loadApart(key);
      shelf = {
        modules: [],
        regions: new RegionSet(),
        putOff: new Map(kept?.putOff),
        boards: new Set(),
        added: false,
        improving: true,
      };
      for (const made of kept?.modules ?? []) this.#hold(shelf, made);
    }
    this.#shelves.delete(key);
    this.#shelves.set(key, shelf);
    return shelf;
  }

  #hear(shelf: Shelf, from: MessagePort, { made, replaced, putOff }: ToHub): void {
    if (replaced) this.#drop(shelf, replaced);
    const places = shelf.putOff.size;
    for (const [place, why] of putOff) shelf.putOff.set(place, why);
    if (shelf.putOff.size > places) shelf.added = shelf.improving = true;
    // Two boards may make the same at the same time.
    const modules = made.filter(({ regions }) => !regions.every((region) => shelf.regions.has(region)));
    if (modules.length === 0) return;
    for (const module of modules) this.#hold(shelf, module);
    shelf.added = shelf.improving = true;
    for (const board of shelf.boards) if (board !== from) send(board, modules, new Map());
  }

  #drop(shelf: Shelf, replaced: readonly CompiledRegion[]): void {
    const modules = withoutRegions(shelf.modules, replaced);
    shelf.modules.length = 0;
    shelf.regions.clear();
    shelf.putOff.clear(); // said of what there was
    for (const made of modules) this.#hold(shelf, made);
  }

  #hold({ modules, regions }: Shelf, made: KeptModule): void {
    modules.push(made);
    for (const region of made.regions) regions.add(region);
  }

  /** Drops what was used longest ago and is used no more, as far as there is too much of it. */
  #forget(): void {
    let total = 0;
    for (const [key, { modules, boards }] of [...this.#shelves].reverse()) {
      if (boards.size > 0) continue;
      total += modules.reduce((sum, { bytes }) => sum + bytes.length, 0);
      if (total > IDLE_BYTES) this.#shelves.delete(key);
    }
  }
}

function send(port: MessagePort, modules: readonly KeptModule[], putOff: FromHub['putOff']): void {
  const shared = modules.map(({ module, regions, bytes }) => ({ made: { module, regions }, wasmBytes: bytes.length }));
  port.postMessage({ modules: shared, putOff } satisfies FromHub);
}

/** Asks a hub for a connection. @param hub a port that {@link TranslationHub.connect} gave */
export function connectToHub(hub: MessagePort, key: string): MessagePort {
  const { port1, port2 } = new MessageChannel();
  hub.postMessage({ key, port: port1 } satisfies Connection, [port1]);
  return port2;
}
