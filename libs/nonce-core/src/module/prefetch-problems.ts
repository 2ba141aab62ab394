/** How many fresh nonces a fast store is given at once. */
interface PrefetchSizes {
  readonly size: number;
  readonly lowWater: number;
  readonly max: number;
}

/** What no single number shows: the next batch is fetched before the last one can be used up. */
export function prefetchProblems({
  size,
  lowWater,
  max,
}: PrefetchSizes): readonly { readonly field: 'size' | 'lowWater'; readonly detail: string }[] {
  return [
    ...(lowWater < size
      ? []
      : [
          {
            field: 'lowWater' as const,
            detail: `must be below the prefetch size, which is ${size}`,
          },
        ]),
    ...(size <= max
      ? []
      : [{ field: 'size' as const, detail: `must not be above the prefetch maximum, ${max}` }]),
  ];
}
