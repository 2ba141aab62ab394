import type { Submitter } from '../../src/domain/submitter';
import type { NonceComponent } from '../../src/module/nonce-component';
import { newSubmitter } from '../support/store-fixture';

/** Callers that take a nonce and say that it is used, again and again, each for its own submitter. */
export class SteadyLoad {
  readonly submitters: readonly Submitter[];
  /** By caller, in the order in which they came. */
  readonly nonces: readonly number[][];
  readonly failures: unknown[] = [];
  served = 0;
  private ending = false;
  private readonly callers: Promise<void>[];

  constructor(component: NonceComponent, callers: number) {
    this.submitters = Array.from({ length: callers }, () => newSubmitter());
    this.nonces = this.submitters.map(() => []);
    this.callers = this.submitters.map((submitter, i) =>
      this.call(component, submitter, this.nonces[i] as number[]),
    );
  }

  /** Callers whose nonces are not 0, 1, 2 … without a gap or a repetition. */
  get broken(): readonly (readonly number[])[] {
    return this.nonces.filter((taken) => taken.some((nonce, i) => nonce !== i));
  }

  async stop(): Promise<void> {
    this.ending = true;
    await Promise.all(this.callers);
  }

  private async call(
    component: NonceComponent,
    submitter: Submitter,
    taken: number[],
  ): Promise<void> {
    while (!this.ending) {
      try {
        const [granted] = await component.allocate(submitter);
        if (granted === undefined) throw new Error('no allocation');
        taken.push(granted.nonce);
        await component.markUsed(granted);
        this.served += 1;
      } catch (error) {
        this.failures.push(error);
        return;
      }
    }
  }
}
