/**
 * A chip on an I2C bus, at the level of bytes: what any host controller, or a pair of wires, needs to talk to it.
 * Source: NXP UM10204, I2C-bus specification and user manual, section 3.1.
 */
export interface I2cTarget {
  /** 7-bit address. */
  readonly address: number;
  /** A start or repeated start condition addressed the chip. @returns whether it acknowledges */
  start(direction: 'read' | 'write'): boolean;
  /** A byte from the host. @returns whether it acknowledges */
  write(byte: number): boolean;
  /** The next byte for the host. */
  read(): number;
  stop(): void;
}

/** The chips on one bus. */
export class I2cBus {
  readonly #targets = new Map<number, I2cTarget>();

  attach(target: I2cTarget): void {
    this.#targets.set(target.address, target);
  }

  find(address: number): I2cTarget | undefined {
    return this.#targets.get(address & 0x7f);
  }

  /** Addresses a chip. @returns undefined when none acknowledges */
  start(address: number, direction: 'read' | 'write'): I2cTarget | undefined {
    const target = this.find(address);
    return target?.start(direction) ? target : undefined;
  }
}
