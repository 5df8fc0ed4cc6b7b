import type { ImageFile, MachineConfig } from './types.js';

/** A configuration whose images are in memory. */
export interface LoadedConfig extends MachineConfig {
  kernel?: Uint8Array;
  initrd?: Uint8Array;
  firmware?: Uint8Array;
}

/** Reads the images that are files. @throws EmulatorError when one cannot be read, or was changed */
export function loadImages(config: MachineConfig): LoadedConfig {
  const { kernel, initrd, firmware } = config;
  return { ...config, kernel: bytesOf(kernel), initrd: bytesOf(initrd), firmware: bytesOf(firmware) };
}

/** The bytes of an image, wherever they are. */
function bytesOf<T extends undefined>(image: Uint8Array | ImageFile | T): Uint8Array | T {
  return image && 'read' in image ? image.read() : image;
}
