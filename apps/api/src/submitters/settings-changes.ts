import {
  NonceError,
  type LastingMode,
  type ModeSource,
  type ModeStore,
  type SubmitterSettings,
  type SubmitterStore,
} from '@noncekit/nonce-core';
import type { OperatorOrder, RecordedOrders } from './recorded-orders';
import { unknownSubmitter } from './submitter-reader';

interface ChangedSettings extends SubmitterSettings {
  /** null = follows the mode. */
  readonly pinnedMode?: LastingMode | null;
}

interface Pins {
  readonly store: Pick<ModeStore, 'pin'>;
  readonly view: Pick<ModeSource, 'refresh'>;
  /** Without a Redis no submitter can be served or mirrored there. */
  readonly hasRedis: boolean;
}

/** Settings of one submitter; the order is in the audit before anything changes. */
export class SettingsChanges {
  constructor(
    private readonly submitters: Pick<SubmitterStore, 'updateSettings'>,
    private readonly orders: RecordedOrders,
    private readonly pins: Pins,
  ) {}

  /** @throws NonceError NONCE_SUBMITTER_UNKNOWN; NONCE_VALIDATION for a pin that needs Redis */
  async change(order: OperatorOrder, { pinnedMode, ...settings }: ChangedSettings): Promise<void> {
    this.refusePinWithoutRedis(pinnedMode);
    const detail = pinnedMode === undefined ? settings : { ...settings, pinnedMode };
    await this.orders.record(order, 'submitter.settings', detail);
    const { submitter, actor } = order;
    // The pin first: it is what can be refused still.
    const known =
      (pinnedMode === undefined || (await this.pins.store.pin(submitter, pinnedMode, actor))) &&
      (await this.submitters.updateSettings(submitter, settings));
    if (!known) throw unknownSubmitter(submitter);
    // Other nodes see a pin with their next look; this one need not wait for its own.
    if (pinnedMode !== undefined) await this.pins.view.refresh();
  }

  private refusePinWithoutRedis(pinnedMode: LastingMode | null | undefined): void {
    if (this.pins.hasRedis || (pinnedMode ?? 'RELIABLE') === 'RELIABLE') return;
    const detail = 'needs a Redis: set NONCE_REDIS_URL on every node, or pin RELIABLE';
    throw new NonceError('NONCE_VALIDATION', { errors: [{ pointer: '/pinnedMode', detail }] });
  }
}
