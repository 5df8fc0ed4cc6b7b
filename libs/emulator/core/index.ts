// core: what every other part of the emulator stands on and that knows none of them.
// Virtual time and timers (clock), interrupt wires (irq), the stamped input queue (input), the outside ends of devices
// (block, console), addresses and byte orders (address), versioned state (state), errors, maps,
// short names for texts (fingerprint), binary search (search).
export * from './address.js';
export * from './block.js';
export * from './clock.js';
export * from './console.js';
export * from './errors.js';
export * from './fingerprint.js';
export * from './input.js';
export * from './irq.js';
export * from './map.js';
export * from './search.js';
export * from './state.js';
