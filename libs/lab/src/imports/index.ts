/**
 * Jobs of other labs in our words: lava.ts reads LAVA job definitions for QEMU devices, tuxrun.ts the command line of
 * tuxrun. Both say what they could not take over; nothing is left out in silence.
 */
export * from './definition.js';
export * from './import-result.js';
export * from './lava.js';
export * from './tuxrun.js';
