// jit/interp: generates a target's interpreter from its instruction table (generate).
export * from './generate.js';
