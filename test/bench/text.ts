/** Words of the vocabulary. */
const WORDS = 6000;
/** How many words may follow each word where it does not stand at a phrase's end. */
const FOLLOWERS = 3;
const LINE_WIDTH = 88;

/**
 * Text with what compressors and word counters work on: a few frequent words and many rare ones, phrases that come back,
 * lines with indentation. The same bytes on every machine.
 */
export function sampleText(bytes: number): Buffer {
  const random = randomNumbers(0x2545f491);
  const words = Array.from({ length: WORDS }, () => makeWord(random));
  const followers = words.map(() => Array.from({ length: FOLLOWERS }, () => frequentFirst(random, WORDS)));
  const lines: string[] = [];
  let [length, word] = [0, 0];
  while (length < bytes) {
    let line = '\t'.repeat(frequentFirst(random, 5));
    while (line.length < LINE_WIDTH && random() > 0.06) {
      const followed = followers[word]?.[Math.floor(random() * FOLLOWERS)] ?? 0;
      word = random() < 0.7 ? followed : frequentFirst(random, WORDS);
      line += `${words[word] ?? ''}${random() < 0.12 ? punctuation(random) : ' '}`;
    }
    lines.push(line);
    length += line.length + 1;
  }
  return Buffer.from(`${lines.join('\n')}\n`, 'latin1').subarray(0, bytes);
}

/** An index below `count`, half as often for each doubling, as Zipf observed of words. No logarithm: those differ between machines. */
function frequentFirst(random: () => number, count: number): number {
  const octaves = 32 - Math.clz32(count - 1);
  const octave = 1 << Math.floor(random() * octaves);
  return (octave + Math.floor(random() * octave) - 1) % count;
}

const punctuation = (random: () => number): string =>
  [', ', '; ', '(', ') ', ' = ', '->', '_'][Math.floor(random() * 7)] ?? ' ';

function makeWord(random: () => number): string {
  const pick = (letters: string): string => letters.charAt(Math.floor(random() * letters.length));
  const syllables = 1 + Math.floor(random() * 3);
  return Array.from({ length: syllables }, () => `${pick('bcdfglmnprstvw')}${pick('aeiou')}${pick('lnrst  ')}`)
    .join('')
    .replaceAll(' ', '');
}

/** Numbers from 0 below 1: Marsaglia's xorshift32. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
