import { getOrInsertComputed } from '../../core/index.js';
import type { TargetDescription } from '../../jit/ir/index.js';
import type { DirectWindow, InstructionReader, Region } from '../../jit/regions/index.js';
import { translateRegion } from '../../jit/regions/index.js';
import { ModuleWriter, TRANSLATION_PARAMETERS, TRANSLATION_RESULTS } from '../../jit/wasm/index.js';
import type { CompiledRegion, CompilerSetup } from './region-module.js';
import { placeImport, PLACES } from './region-module.js';

/** What a region is translated for. */
export interface RegionContext {
  readonly modeKey: number;
  readonly window: DirectWindow | undefined;
  /** Addresses, see `Strays`. */
  readonly strays: ReadonlySet<number>;
  readonly joined: boolean;
}

/** Puts translated regions into a module. */
export class RegionModuleWriter {
  readonly regions: CompiledRegion[] = [];
  readonly #module: ModuleWriter;
  readonly #type: number;

  constructor(
    private readonly setup: CompilerSetup,
    private readonly description: TargetDescription,
  ) {
    this.#module = new ModuleWriter(setup.memory);
    this.#module.importTable('env', 'translations');
    this.#type = this.#module.type(TRANSLATION_PARAMETERS, TRANSLATION_RESULTS);
  }

  add(region: Region, reader: InstructionReader, { modeKey, window, strays, joined }: RegionContext): void {
    const { cpuBase, jumpCache, systemExits } = this.setup;
    const name = String(this.regions.length);
    const places = new Map<number, number>();
    const body = translateRegion(this.description, reader, region, {
      ...{ cpuBase, type: this.#type, jumpCache, systemExits, modeKey, window, strays },
      pageAddend: (virtual) => {
        const page = virtual >>> 0;
        return getOrInsertComputed(places, page, () => this.#module.importConstant(PLACES, placeImport(name, page)));
      },
    });
    this.#module.addFunction(body, TRANSLATION_RESULTS, name);
    const addresses = Uint32Array.from(region.words.keys()).sort();
    this.regions.push({
      name,
      modeKey,
      window,
      joined,
      instructions: region.instructionCount,
      wasmBytes: body.code.length,
      entries: region.entries,
      pages: [...region.pages],
      places: [...places.keys()],
      addresses,
      words: addresses.map((address) => region.words.get(address) as number), // it is one of them
      calls: [...region.calls],
      tableTargets: [...region.claimed],
      strays: [...strays].filter((address) => region.words.has(address)),
    });
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#module.finish();
  }
}
