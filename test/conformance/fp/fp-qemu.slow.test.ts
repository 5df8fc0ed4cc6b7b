import { compareWithQemu } from './qemu-comparison.js';

compareWithQemu('full', 5_000_000);
