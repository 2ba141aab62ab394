import type { AlignmentReport, EventSink, Submitter, SubmitterStore } from '@noncekit/nonce-core';
import type { OperatorOrder, RecordedOrders } from './recorded-orders';
import { unknownSubmitter } from './submitter-reader';

/** Reads the chain's counts of one submitter and moves the floors accordingly. */
export interface Aligner {
  alignWithChain(submitter: Submitter): Promise<AlignmentReport>;
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
}
