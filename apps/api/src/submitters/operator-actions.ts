import type {
  AccessStore,
  AlignmentReport,
  EventSink,
  Submitter,
  SubmitterSettings,
  SubmitterStore,
} from '@noncekit/nonce-core';
import { unknownSubmitter, type SubmitterReader } from './submitter-reader';

export interface OperatorOrder {
  readonly submitter: Submitter;
  /** Name of the key that ordered it. */
  readonly actor: string;
  readonly reason: string;
}

/** Reads the chain's counts of one submitter and moves the floors accordingly. */
export interface Aligner {
  alignWithChain(submitter: Submitter): Promise<AlignmentReport>;
}

/**
 * What operators may change. The order is in the audit before it is carried out, so nothing is ever
 * done that the audit does not show; an order that then fails is there too, as ordered.
 */
export class OperatorActions {
  constructor(
    private readonly submitters: SubmitterStore,
    private readonly access: AccessStore,
    private readonly reader: SubmitterReader,
    private readonly aligner: Aligner,
    private readonly events: EventSink,
  ) {}

  async changeSettings(order: OperatorOrder, settings: SubmitterSettings): Promise<void> {
    await this.record(order, 'submitter.settings', { ...settings });
    if (!(await this.submitters.updateSettings(order.submitter, settings))) {
      throw unknownSubmitter(order.submitter);
    }
  }

  async setPaused(order: OperatorOrder, paused: boolean): Promise<void> {
    await this.record(order, paused ? 'submitter.pause' : 'submitter.resume');
    if (!(await this.submitters.setPaused(order.submitter, paused, order.reason))) {
      throw unknownSubmitter(order.submitter);
    }
    const { submitter, reason } = order;
    this.events.publish(paused ? 'submitter.paused' : 'submitter.resumed', { submitter, reason });
  }

  async align(order: OperatorOrder): Promise<AlignmentReport> {
    await this.record(order, 'submitter.align');
    return this.aligner.alignWithChain(order.submitter);
  }

  /** @throws NonceError NONCE_SUBMITTER_UNKNOWN before anything is written */
  private async record(
    order: OperatorOrder,
    action: string,
    detail?: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    await this.reader.view(order.submitter);
    await this.access.audit({
      actor: order.actor,
      action,
      subject: order.submitter,
      reason: order.reason,
      ...(detail === undefined ? {} : { detail }),
    });
  }
}
