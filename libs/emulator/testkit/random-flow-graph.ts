import type { SeededRandom } from './random.js';

/** A graph in which every node is reached from node 0, and nothing leads back there, as in a region. */
export function randomFlowGraph(random: SeededRandom): number[][] {
  const size = 1 + random.below(14);
  const successors: number[][] = Array.from({ length: size }, () => []);
  for (let node = 1; node < size; node++) successors[random.below(node)]?.push(node);
  const edges = random.below(2 * size);
  for (let i = 0; i < edges && size > 1; i++) successors[random.below(size)]?.push(1 + random.below(size - 1));
  // Names in no particular order.
  const names = Array.from({ length: size }, (_, i) => i);
  for (let i = size - 1; i > 1; i--) {
    const j = 1 + random.below(i);
    [names[i], names[j]] = [names[j] as number, names[i] as number];
  }
  const renamed: number[][] = Array.from({ length: size }, () => []);
  successors.forEach((list, node) => {
    renamed[names[node] as number] = list.map((to) => names[to] as number);
  });
  return renamed;
}
