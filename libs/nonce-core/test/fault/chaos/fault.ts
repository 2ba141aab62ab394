import type { ChaosWorld } from './chaos-world';

/** One thing that goes wrong, and its end: when `strike` resolves, everything runs again. */
export interface Fault {
  readonly name: string;
  /** Redis loses something that it had acknowledged. */
  readonly losesMemory?: boolean;
  /** Answers false when it found nothing to strike, which does not count. */
  strike(world: ChaosWorld, random: () => number): Promise<boolean>;
}
