// backends: where devices meet the host.
// Block images: a raw file (raw-image), a copy-on-write overlay in memory over any of them (copy-on-write), plain
// bytes (memory-block). The interface itself is core/block.ts.
export { CopyOnWriteOverlay } from './copy-on-write.js';
export { MemoryBlock } from './memory-block.js';
export { openRawImage, RawImage } from './raw-image.js';
