import type { AccessStore, Submitter } from '@noncekit/nonce-core';
import type { SubmitterReader } from './submitter-reader';

export interface OperatorOrder {
  readonly submitter: Submitter;
  /** Name of the key that ordered it. */
  readonly actor: string;
  readonly reason: string;
}

/** Orders in the audit, before they are carried out. */
export class RecordedOrders {
  constructor(
    private readonly access: AccessStore,
    private readonly reader: SubmitterReader,
  ) {}

  /** @throws NonceError NONCE_SUBMITTER_UNKNOWN before anything is written */
  async record(
    order: OperatorOrder,
    action: string,
    detail?: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    await this.refuseUnknown(order.submitter);
    await this.access.audit({
      actor: order.actor,
      action,
      subject: order.submitter,
      reason: order.reason,
      ...(detail === undefined ? {} : { detail }),
    });
  }

  /** @throws NonceError NONCE_SUBMITTER_UNKNOWN */
  async refuseUnknown(submitter: Submitter): Promise<void> {
    await this.reader.view(submitter);
  }
}
