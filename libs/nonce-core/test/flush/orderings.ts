/** Every order of `items`, in which each occurs `times` times. */
export function orderings<Item>(items: readonly Item[], times = 1): Item[][] {
  const left = items.map(() => times);
  const found: Item[][] = [];
  const order: Item[] = [];
  const extend = (): void => {
    if (order.length === items.length * times) {
      found.push([...order]);
      return;
    }
    items.forEach((item, i) => {
      if (left[i] === 0) return;
      left[i] = (left[i] ?? 0) - 1;
      order.push(item);
      extend();
      order.pop();
      left[i] = (left[i] ?? 0) + 1;
    });
  };
  extend();
  return found;
}
