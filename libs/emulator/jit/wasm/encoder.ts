/**
 * Encoder of WebAssembly binary modules (WebAssembly Core Specification 2.0, chapter 5): just the parts that
 * generated code needs. Code is appended byte by byte to growing buffers; no object per instruction.
 */

export const ValType = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c } as const;
export type ValType = (typeof ValType)[keyof typeof ValType];

/** Opcodes by their specification names, dots and slashes as underscores (section 5.4). */
export const W = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  br_if: 0x0d,
  br_table: 0x0e,
  return: 0x0f,
  call: 0x10,
  call_indirect: 0x11,
  return_call_indirect: 0x13,
  drop: 0x1a,
  select: 0x1b,
  local_get: 0x20,
  local_set: 0x21,
  local_tee: 0x22,
  global_get: 0x23,
  i32_load: 0x28,
  i64_load: 0x29,
  f32_load: 0x2a,
  f64_load: 0x2b,
  i32_load8_s: 0x2c,
  i32_load8_u: 0x2d,
  i32_load16_s: 0x2e,
  i32_load16_u: 0x2f,
  i64_load8_s: 0x30,
  i64_load8_u: 0x31,
  i64_load16_s: 0x32,
  i64_load16_u: 0x33,
  i64_load32_s: 0x34,
  i64_load32_u: 0x35,
  i32_store: 0x36,
  i64_store: 0x37,
  f32_store: 0x38,
  f64_store: 0x39,
  i32_store8: 0x3a,
  i32_store16: 0x3b,
  i64_store8: 0x3c,
  i64_store16: 0x3d,
  i64_store32: 0x3e,
  i32_const: 0x41,
  i64_const: 0x42,
  i32_eqz: 0x45,
  i32_eq: 0x46,
  i32_ne: 0x47,
  i32_lt_s: 0x48,
  i32_lt_u: 0x49,
  i32_gt_s: 0x4a,
  i32_gt_u: 0x4b,
  i32_le_s: 0x4c,
  i32_le_u: 0x4d,
  i32_ge_s: 0x4e,
  i32_ge_u: 0x4f,
  i64_eqz: 0x50,
  i64_eq: 0x51,
  i64_ne: 0x52,
  i64_lt_s: 0x53,
  i64_lt_u: 0x54,
  i64_le_s: 0x57,
  i64_le_u: 0x58,
  f32_eq: 0x5b,
  f32_lt: 0x5d,
  f32_le: 0x5f,
  f64_eq: 0x61,
  f64_lt: 0x63,
  f64_le: 0x65,
  i32_clz: 0x67,
  i32_ctz: 0x68,
  i32_popcnt: 0x69,
  i32_add: 0x6a,
  i32_sub: 0x6b,
  i32_mul: 0x6c,
  i32_div_s: 0x6d,
  i32_div_u: 0x6e,
  i32_rem_s: 0x6f,
  i32_rem_u: 0x70,
  i32_and: 0x71,
  i32_or: 0x72,
  i32_xor: 0x73,
  i32_shl: 0x74,
  i32_shr_s: 0x75,
  i32_shr_u: 0x76,
  i32_rotl: 0x77,
  i32_rotr: 0x78,
  i64_clz: 0x79,
  i64_ctz: 0x7a,
  i64_popcnt: 0x7b,
  i64_add: 0x7c,
  i64_sub: 0x7d,
  i64_mul: 0x7e,
  i64_div_s: 0x7f,
  i64_div_u: 0x80,
  i64_rem_s: 0x81,
  i64_rem_u: 0x82,
  i64_and: 0x83,
  i64_or: 0x84,
  i64_xor: 0x85,
  i64_shl: 0x86,
  i64_shr_s: 0x87,
  i64_shr_u: 0x88,
  i64_rotl: 0x89,
  i64_rotr: 0x8a,
  f32_sqrt: 0x91,
  f32_add: 0x92,
  f32_sub: 0x93,
  f32_mul: 0x94,
  f32_div: 0x95,
  f64_sqrt: 0x9f,
  f64_add: 0xa0,
  f64_sub: 0xa1,
  f64_mul: 0xa2,
  f64_div: 0xa3,
  i32_wrap_i64: 0xa7,
  i32_trunc_f64_s: 0xaa,
  i64_extend_i32_s: 0xac,
  i64_extend_i32_u: 0xad,
  f64_convert_i32_s: 0xb7,
  i32_reinterpret_f32: 0xbc,
  i64_reinterpret_f64: 0xbd,
  f32_reinterpret_i32: 0xbe,
  f64_reinterpret_i64: 0xbf,
  i32_extend8_s: 0xc0,
  i32_extend16_s: 0xc1,
  i64_extend8_s: 0xc2,
  i64_extend16_s: 0xc3,
  i64_extend32_s: 0xc4,
} as const;

const BLOCK_VOID = 0x40;

/** A growing byte buffer with LEB128 writers. */
export class ByteWriter {
  #bytes = new Uint8Array(256);
  length = 0;

  u8(value: number): void {
    if (this.length === this.#bytes.length) this.#reserve(this.length + 1);
    this.#bytes[this.length++] = value;
  }

  u32(value: number): void {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.u8((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.u8(rest);
  }

  s32(value: number): void {
    let rest = value | 0;
    for (;;) {
      const byte = rest & 0x7f;
      rest >>= 7;
      if ((rest === 0 && !(byte & 0x40)) || (rest === -1 && byte & 0x40)) return this.u8(byte);
      this.u8(byte | 0x80);
    }
  }

  s64(low: number, high: number): void {
    let rest = (BigInt(high | 0) << 32n) | BigInt(low >>> 0);
    for (;;) {
      const byte = Number(rest & 0x7fn);
      rest >>= 7n;
      if ((rest === 0n && !(byte & 0x40)) || (rest === -1n && byte & 0x40)) return this.u8(byte);
      this.u8(byte | 0x80);
    }
  }

  name(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.u32(bytes.length);
    this.bytes(bytes);
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(this.length + bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  take(): Uint8Array {
    return this.#bytes.slice(0, this.length);
  }

  #reserve(size: number): void {
    if (size <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(size, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.length));
    this.#bytes = larger;
  }
}

/** Handle of an enclosing block, to branch to; valid until its `end`. */
export interface Label {
  readonly level: number;
}

/** Appends one function body. Labels are handles, so callers never count nesting depths. */
export class FunctionWriter {
  readonly code = new ByteWriter();
  readonly #locals: ValType[] = [];
  #level = 0;

  /** @param params types of the parameters, which are locals 0, 1, … */
  constructor(readonly params: readonly ValType[] = []) {}

  local(type: ValType): number {
    this.#locals.push(type);
    return this.params.length + this.#locals.length - 1;
  }

  op(opcode: number): void {
    this.code.u8(opcode);
  }

  i32(value: number): void {
    this.code.u8(W.i32_const);
    this.code.s32(value);
  }

  i64(low: number, high: number): void {
    this.code.u8(W.i64_const);
    this.code.s64(low, high);
  }

  get(local: number): void {
    this.code.u8(W.local_get);
    this.code.u32(local);
  }

  set(local: number): void {
    this.code.u8(W.local_set);
    this.code.u32(local);
  }

  tee(local: number): void {
    this.code.u8(W.local_tee);
    this.code.u32(local);
  }

  /** A load or store with a constant offset; the alignment hint is natural. */
  memory(opcode: number, offset: number): void {
    this.code.u8(opcode);
    this.code.u32(0);
    this.code.u32(offset);
  }

  call(index: number): void {
    this.code.u8(W.call);
    this.code.u32(index);
  }

  /** Calls through table 0; the function's index in the table lies on top of its arguments. */
  callIndirect(type: number): void {
    this.code.u8(W.call_indirect);
    this.code.u32(type);
    this.code.u32(0);
  }

  /** Continues in another function of table 0 in this one's place (tail call). */
  returnCallIndirect(type: number): void {
    this.code.u8(W.return_call_indirect);
    this.code.u32(type);
    this.code.u32(0);
  }

  global(index: number): void {
    this.code.u8(W.global_get);
    this.code.u32(index);
  }

  block(): Label {
    return this.#open(W.block);
  }

  loop(): Label {
    return this.#open(W.loop);
  }

  if(result?: ValType): Label {
    return this.#open(W.if, result);
  }

  else(): void {
    this.code.u8(W.else);
  }

  end(): void {
    this.#level--;
    this.code.u8(W.end);
  }

  br(label: Label): void {
    this.code.u8(W.br);
    this.code.u32(this.#level - label.level);
  }

  brIf(label: Label): void {
    this.code.u8(W.br_if);
    this.code.u32(this.#level - label.level);
  }

  brTable(labels: readonly Label[], otherwise: Label): void {
    this.code.u8(W.br_table);
    this.code.u32(labels.length);
    for (const label of labels) this.code.u32(this.#level - label.level);
    this.code.u32(this.#level - otherwise.level);
  }

  /** The finished body in module form: locals, code, end. */
  body(): Uint8Array {
    const out = new ByteWriter();
    const runs: { type: ValType; count: number }[] = [];
    for (const type of this.#locals) {
      const last = runs.at(-1);
      if (last?.type === type) last.count++;
      else runs.push({ type, count: 1 });
    }
    out.u32(runs.length);
    for (const { type, count } of runs) {
      out.u32(count);
      out.u8(type);
    }
    out.bytes(this.code.take());
    out.u8(W.end);
    return out.take();
  }

  #open(opcode: number, result?: ValType): Label {
    this.code.u8(opcode);
    this.code.u8(result ?? BLOCK_VOID);
    this.#level++;
    return { level: this.#level };
  }
}

interface FunctionType {
  readonly params: readonly ValType[];
  readonly results: readonly ValType[];
}

/** The imported memory `env.memory`. */
export interface MemoryImport {
  /** Exact size in 64 KiB pages. */
  readonly pages: number;
  readonly shared: boolean;
}

/** Assembles a module: one imported memory, imported functions, own functions, exports. */
export class ModuleWriter {
  readonly #types: FunctionType[] = [];
  readonly #imports: { module: string; name: string; type: number }[] = [];
  readonly #globals: { module: string; name: string }[] = [];
  #table: { module: string; name: string } | undefined;
  readonly #functions: { type: number; body: FunctionWriter; exportName: string | undefined }[] = [];

  readonly #data: { offset: number; bytes: Uint8Array }[] = [];

  constructor(private readonly memory: MemoryImport) {}

  /** Bytes that every instance writes to the memory when it is made. */
  addData(offset: number, bytes: Uint8Array): void {
    this.#data.push({ offset, bytes });
  }

  /** Declares an imported function and returns its index. All imports come before the first function. */
  importFunction(module: string, name: string, params: readonly ValType[], results: readonly ValType[]): number {
    if (this.#functions.length > 0) throw new Error('imports must be declared before functions');
    this.#imports.push({ module, name, type: this.#type({ params, results }) });
    return this.#imports.length - 1;
  }

  /** Declares an imported constant of type i32 and returns its index. */
  importConstant(module: string, name: string): number {
    this.#globals.push({ module, name });
    return this.#globals.length - 1;
  }

  /** Declares the imported table of functions that indirect calls go through. */
  importTable(module: string, name: string): void {
    this.#table = { module, name };
  }

  /** Index of a function type, for indirect calls. */
  type(params: readonly ValType[], results: readonly ValType[]): number {
    return this.#type({ params, results });
  }

  addFunction(body: FunctionWriter, results: readonly ValType[], exportName?: string): number {
    this.#functions.push({ type: this.#type({ params: body.params, results }), body, exportName });
    return this.#imports.length + this.#functions.length - 1;
  }

  finish(): Uint8Array<ArrayBuffer> {
    const out = new ByteWriter();
    out.bytes(Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00));
    section(out, 1, this.#types, (w, type) => {
      w.u8(0x60);
      for (const list of [type.params, type.results]) {
        w.u32(list.length);
        for (const t of list) w.u8(t);
      }
    });
    const imports: ((w: ByteWriter) => void)[] = [
      (w) => {
        w.name('env');
        w.name('memory');
        w.u8(0x02);
        w.u8(this.memory.shared ? 0x03 : 0x01); // limits with a maximum
        w.u32(this.memory.pages);
        w.u32(this.memory.pages);
      },
      ...this.#imports.map(({ module, name, type }) => (w: ByteWriter): void => {
        w.name(module);
        w.name(name);
        w.u8(0x00);
        w.u32(type);
      }),
      ...this.#globals.map(({ module, name }) => (w: ByteWriter): void => {
        w.name(module);
        w.name(name);
        w.u8(0x03);
        w.u8(ValType.i32);
        w.u8(0x00); // immutable
      }),
    ];
    const table = this.#table;
    if (table)
      imports.push((w) => {
        w.name(table.module);
        w.name(table.name);
        w.u8(0x01);
        w.u8(0x70); // funcref
        w.u8(0x00); // no maximum
        w.u32(0);
      });
    section(out, 2, imports, (w, write) => write(w));
    section(out, 3, this.#functions, (w, fn) => w.u32(fn.type));
    const exported = this.#functions
      .map((fn, i) => ({ fn, index: this.#imports.length + i }))
      .filter(({ fn }) => fn.exportName !== undefined);
    section(out, 7, exported, (w, { fn, index }) => {
      w.name(fn.exportName as string); // filtered above
      w.u8(0x00);
      w.u32(index);
    });
    section(out, 10, this.#functions, (w, fn) => {
      const body = fn.body.body();
      w.u32(body.length);
      w.bytes(body);
    });
    section(out, 11, this.#data, (w, { offset, bytes }) => {
      w.u8(0x00); // active, memory 0
      w.u8(W.i32_const);
      w.s32(offset);
      w.u8(W.end);
      w.u32(bytes.length);
      w.bytes(bytes);
    });
    return out.take() as Uint8Array<ArrayBuffer>; // slice() of an ArrayBuffer-backed array
  }

  #type(type: FunctionType): number {
    const same = (a: readonly ValType[], b: readonly ValType[]): boolean =>
      a.length === b.length && a.every((t, i) => t === b[i]);
    const known = this.#types.findIndex((t) => same(t.params, type.params) && same(t.results, type.results));
    return known >= 0 ? known : this.#types.push(type) - 1;
  }
}

function section<T>(out: ByteWriter, id: number, items: readonly T[], write: (w: ByteWriter, item: T) => void): void {
  if (items.length === 0) return;
  const body = new ByteWriter();
  body.u32(items.length);
  for (const item of items) write(body, item);
  out.u8(id);
  out.u32(body.length);
  out.bytes(body.take());
}
