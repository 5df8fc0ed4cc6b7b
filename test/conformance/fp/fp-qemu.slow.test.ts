import { compareWithQemu } from './qemu-comparison.js';

compareWithQemu('full', 2_000_000);
