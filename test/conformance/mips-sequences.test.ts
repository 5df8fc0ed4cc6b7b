import { compareSequences } from './mips-sequences.js';

compareSequences([1], { sequences: 500, atLeast: 50_000 });
