import type { I2cBus, I2cTarget } from './i2c-target.js';

/**
 * Decodes SCL and SDA levels, driven by software bit by bit, into transfers with the chips of a bus.
 * Source: NXP UM10204, sections 3.1.1 to 3.1.10.
 */
export interface WireState {
  scl: boolean;
  /** What the host drives; the wire is low when the host or the chip pulls it low. */
  sda: boolean;
  phase: 'idle' | 'address' | 'write' | 'read' | 'ignore';
  /** Clock pulses within the current byte, 0..8; the ninth carries the acknowledge. */
  bit: number;
  byte: number;
  /** The chip pulls SDA low. */
  pull: boolean;
  /** Address of the chip in the current transfer. */
  address: number;
}

export const IDLE_WIRES: WireState = { scl: true, sda: true, phase: 'idle', bit: 0, byte: 0, pull: false, address: 0 };

export class I2cWires {
  constructor(
    private readonly bus: I2cBus,
    /** Kept by the owner, which saves it. */
    private readonly state: WireState,
  ) {}

  /** Level on the SDA wire. */
  get sda(): boolean {
    return this.state.sda && !this.state.pull;
  }

  /** The host sets both wires (true is released, high). */
  drive(scl: boolean, sda: boolean): void {
    const { state } = this;
    const clockHeld = state.scl && scl;
    if (clockHeld && state.sda && !sda) this.#start();
    else if (clockHeld && !state.sda && sda) this.#stop();
    state.sda = sda;
    if (!state.scl && scl) this.#rise();
    else if (state.scl && !scl) this.#fall();
    state.scl = scl;
  }

  /** The chip of the current transfer. */
  #target(): I2cTarget | undefined {
    return this.bus.find(this.state.address >>> 1);
  }

  #start(): void {
    Object.assign(this.state, { phase: 'address', bit: 0, byte: 0, pull: false });
  }

  #stop(): void {
    this.#target()?.stop();
    Object.assign(this.state, { phase: 'idle', pull: false });
  }

  /** Both sides sample on the rising edge. */
  #rise(): void {
    const { state } = this;
    if (state.phase === 'idle' || state.phase === 'ignore') return;
    if (state.bit < 8) {
      if (state.phase !== 'read') state.byte = ((state.byte << 1) | (state.sda ? 1 : 0)) & 0xff;
      state.bit++;
      return;
    }
    // Ninth pulse: the receiver of the byte acknowledges it by a low level.
    if (state.phase === 'read' && state.sda) state.phase = 'ignore';
    state.bit = 9;
  }

  /** The transmitter changes SDA while the clock is low. */
  #fall(): void {
    const { state } = this;
    if (state.phase === 'idle' || state.phase === 'ignore') {
      state.pull = false;
    } else if (state.bit === 8) {
      state.pull = state.phase === 'read' ? false : this.#received();
    } else if (state.bit === 9) {
      Object.assign(state, { bit: 0, byte: 0, pull: false });
      if (state.phase === 'address') state.phase = (state.address & 1) === 1 ? 'read' : 'write';
      if (state.phase === 'read') state.byte = this.#target()?.read() ?? 0xff;
      if (state.phase === 'read') state.pull = (state.byte & 0x80) === 0;
    } else if (state.phase === 'read') {
      state.pull = ((state.byte << state.bit) & 0x80) === 0;
    }
  }

  /** A whole byte came from the host. @returns whether a chip acknowledges */
  #received(): boolean {
    const { state } = this;
    if (state.phase === 'write') return this.#target()?.write(state.byte) ?? false;
    state.address = state.byte;
    if (this.bus.start(state.byte >>> 1, (state.byte & 1) === 1 ? 'read' : 'write')) return true;
    state.phase = 'ignore';
    return false;
  }
}
