/**
 * Binary search. @param isWanted holds for none of a list's first items and for all behind them
 * @returns index of the first item that it holds for; the list's length where there is none
 */
export function firstIndex<T>(list: ArrayLike<T>, isWanted: (item: T) => boolean): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isWanted(list[middle] as T)) high = middle;
    else low = middle + 1;
  }
  return low;
}
