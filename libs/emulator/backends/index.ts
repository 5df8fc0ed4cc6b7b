// backends: where devices meet the host.
// Block images: a raw file (raw-image), a copy-on-write overlay in memory over any of them (copy-on-write), plain
// bytes (memory-block). The interface itself is core/block.ts.
// image-file reads kernels and firmware when they are needed; board-files opens all that a board needs; sha256 reads memory where it lies.
export { BoardFiles } from './board-files.js';
export { CopyOnWriteOverlay } from './copy-on-write.js';
export { ImageFile, openImageFile } from './image-file.js';
export { MemoryBlock } from './memory-block.js';
export { sha256InPlace } from './sha256.js';
export { openRawImage, RawImage } from './raw-image.js';
