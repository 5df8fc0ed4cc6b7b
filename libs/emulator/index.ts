// The emulator's public face: create a machine from a configuration, run it, talk to its consoles. See ARCHITECTURE.md.
export { ConfigError } from './core/index.js';
export type { BlockBackend, ByteOrder } from './core/index.js';
export * from './boards/index.js';
export * from './machine/index.js';
