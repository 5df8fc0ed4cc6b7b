import { compareSequences } from './mips-sequences.js';

compareSequences([101, 102, 103, 104], { sequences: 3000, atLeast: 1_000_000 });
