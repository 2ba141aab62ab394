import type { NonceComponent } from '@noncekit/nonce-core';
import { submitterAt } from './submitters';

/** Opened at the same time; more would only wait for each other. */
const TOGETHER = 32;

/** Lets the first `count` submitters be known to the database, with one nonce each. */
export async function openSubmitters(nonces: NonceComponent, count: number): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      await nonces.allocate(submitterAt(next - 1));
    }
  };
  await Promise.all(Array.from({ length: TOGETHER }, work));
}
