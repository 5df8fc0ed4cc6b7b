import { compareSequences } from './mips-sequences.js';

compareSequences([101, 102, 103, 104], 3000);
