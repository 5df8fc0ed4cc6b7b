import { compareSequences } from './mips-sequences.js';

compareSequences([1], 500);
