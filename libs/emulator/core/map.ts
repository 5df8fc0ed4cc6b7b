/** What {@link getOrInsertComputed} needs of a map; weak ones have it, too. */
interface MapLike<K, V> {
  get(key: K): V | undefined;
  set(key: K, value: V): unknown;
}

/**
 * The value under a key, which is computed where there is none yet. What later ECMAScript has as
 * `Map.prototype.getOrInsertComputed`.
 */
export function getOrInsertComputed<K, V extends NonNullable<unknown>>(
  map: MapLike<K, V>,
  key: K,
  compute: () => NoInfer<V>,
): V {
  const there = map.get(key);
  if (there !== undefined) return there;
  const value = compute();
  map.set(key, value);
  return value;
}
