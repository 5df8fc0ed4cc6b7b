import { compareWithQemu } from './qemu-comparison.js';

compareWithQemu('quick', 100_000);
