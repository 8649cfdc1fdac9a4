/** The bound of an LRU cache with many places: the cache's own `max` takes the memory of all of them at once. */
export const upTo = (entries: number) => ({ maxSize: entries, sizeCalculation: () => 1 })
