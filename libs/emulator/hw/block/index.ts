// block: disks as the CPU sees them.
export * from './ata-channel.js';
export * from './ata-identify.js';
