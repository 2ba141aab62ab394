import {
  NonceError,
  type AlignmentReport,
  type EventSink,
  type RebaselineReport,
  type Submitter,
  type SubmitterReconciliation,
  type SubmitterStore,
} from '@noncekit/nonce-core';
import type { OperatorOrder, RecordedOrders } from './recorded-orders';
import { unknownSubmitter } from './submitter-reader';

/** Brings one submitter in line with its chain, or starts it anew on another one. */
export interface Aligner {
  alignWithChain(submitter: Submitter): Promise<AlignmentReport>;
  reconcile(
    submitter: Submitter,
    order: { readonly dryRun: boolean },
  ): Promise<SubmitterReconciliation>;
  rebaseline(
    submitter: Submitter,
    order: { readonly reason: string; readonly dryRun: boolean },
  ): Promise<RebaselineReport>;
}

export interface ReconcileSubmitterOrder extends OperatorOrder {
  readonly dryRun: boolean;
}

export interface ResetOrder extends ReconcileSubmitterOrder {
  /** The submitter once more, in full: what a reset does cannot be taken back. */
  readonly confirm: string | undefined;
}

/**
 * What operators may do. The order is in the audit before it is carried out, so nothing is ever
 * done that the audit does not show; an order that then fails is there too, as ordered.
 */
export class OperatorActions {
  constructor(
    private readonly submitters: Pick<SubmitterStore, 'setPaused'>,
    private readonly orders: RecordedOrders,
    private readonly aligner: Aligner,
    private readonly events: EventSink,
  ) {}

  async setPaused(order: OperatorOrder, paused: boolean): Promise<void> {
    await this.orders.record(order, paused ? 'submitter.pause' : 'submitter.resume');
    if (!(await this.submitters.setPaused(order.submitter, paused, order.reason))) {
      throw unknownSubmitter(order.submitter);
    }
    const { submitter, reason } = order;
    this.events.publish(paused ? 'submitter.paused' : 'submitter.resumed', { submitter, reason });
  }

  async align(order: OperatorOrder): Promise<AlignmentReport> {
    await this.orders.record(order, 'submitter.align');
    return this.aligner.alignWithChain(order.submitter);
  }

  /** A dry run changes nothing and leaves nothing in the audit. */
  async reconcile(order: ReconcileSubmitterOrder): Promise<SubmitterReconciliation> {
    const { submitter, dryRun } = order;
    if (dryRun) await this.orders.refuseUnknown(submitter);
    else await this.orders.record(order, 'submitter.reconcile');
    return this.aligner.reconcile(submitter, { dryRun });
  }

  /** A dry run changes nothing, so it needs no confirmation and leaves nothing in the audit. */
  async reset(order: ResetOrder): Promise<RebaselineReport> {
    const { submitter, reason, dryRun, confirm } = order;
    await this.orders.refuseUnknown(submitter);
    if (!dryRun) {
      if (confirm?.toLowerCase() !== submitter) {
        const detail = `must be "${submitter}": a reset cannot be taken back`;
        throw new NonceError('NONCE_VALIDATION', { errors: [{ pointer: '/confirm', detail }] });
      }
      await this.orders.record(order, 'submitter.reset');
    }
    return this.aligner.rebaseline(submitter, { reason, dryRun });
  }
}
