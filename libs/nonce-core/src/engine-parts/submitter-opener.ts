import type { Nonce } from '../domain/nonce';
import type { Submitter } from '../domain/submitter';
import type { AllocationStore } from '../ports/allocation-store.port';
import type { BaselineSource } from '../ports/baseline.port';

/** Opens submitters never seen before, once each however many callers meet it at the same time. */
export class SubmitterOpener {
  private readonly opening = new Map<Submitter, Promise<void>>();

  constructor(
    private readonly baseline: BaselineSource,
    private readonly store: AllocationStore,
  ) {}

  /** The first caller's `startNonce` counts; the store ignores all later ones. */
  open(submitter: Submitter, startNonce: Nonce | undefined): Promise<void> {
    let opening = this.opening.get(submitter);
    if (opening === undefined) {
      opening = this.begin(submitter, startNonce).finally(() => this.opening.delete(submitter));
      this.opening.set(submitter, opening);
    }
    return opening;
  }

  private async begin(submitter: Submitter, startNonce: Nonce | undefined): Promise<void> {
    const found = await this.baseline.resolve(submitter, startNonce);
    await this.store.open({ ...found, engine: 'reliable' });
  }
}
