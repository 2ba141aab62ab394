/** Every shard of an installation. */
export function allShards(shards: number): readonly number[] {
  return Array.from({ length: shards }, (_, shard) => shard);
}
