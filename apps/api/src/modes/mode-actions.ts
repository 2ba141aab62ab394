import {
  NonceError,
  type EngineMode,
  type ModeSnapshot,
  type ModeSwitch,
  type ModeSwitching,
} from '@noncekit/nonce-core';
import { ifMatchNumber } from '../http/if-match';
import type { PreflightDto } from './mode-switch.dto';

interface ModeOrder {
  readonly mode: EngineMode;
  readonly reason: string;
  /** Name of the key that ordered it. */
  readonly actor: string;
  /** The header as it came. */
  readonly ifMatch: string | undefined;
}

/** What operators see and order of the mode. */
export class ModeActions {
  constructor(private readonly switching: ModeSwitching) {}

  current(): Promise<ModeSnapshot> {
    return this.switching.current();
  }

  /**
   * @throws NonceError NONCE_PRECONDITION without the epoch in force, whose mode is then in the
   *   context; NONCE_MODE_PREFLIGHT_FAILED with the checks in the context
   */
  async order({ mode, ...order }: ModeOrder): Promise<ModeSwitch> {
    const seenEpoch = await this.epochOf(order.ifMatch);
    const { actor, reason } = order;
    const answer = await this.switching.switchTo({ to: mode, actor, reason, seenEpoch });
    if (answer.switch === null) throw new NonceError('NONCE_INTERNAL');
    return answer.switch;
  }

  /** @throws NonceError NONCE_PRECONDITION as an order would */
  async check({ mode, ...order }: ModeOrder): Promise<PreflightDto> {
    const seenEpoch = await this.epochOf(order.ifMatch);
    const { actor, reason } = order;
    const wanted = { to: mode, actor, reason, seenEpoch, dryRun: true };
    const { checks } = await this.switching.switchTo(wanted);
    return { mode, epoch: seenEpoch, possible: checks.every(({ ok }) => ok), checks };
  }

  /** One more than asked tells whether there is a next page. */
  async switches(limit: number, before?: number) {
    const found = await this.switching.history(limit + 1, before);
    const items = found.slice(0, limit);
    return { items, nextBefore: found.length > limit ? (items.at(-1)?.id ?? null) : null };
  }

  /** @throws NonceError NONCE_NOT_FOUND */
  async find(id: number): Promise<ModeSwitch> {
    const [found] = await this.switching.history(1, id + 1);
    if (found?.id === id) return found;
    const message = 'There is no switch of this id.';
    throw new NonceError('NONCE_NOT_FOUND', { message, context: { switchId: id } });
  }

  /** @throws NonceError NONCE_NOT_FOUND when no switch is running */
  async abort(actor: string, reason: string): Promise<ModeSwitch> {
    const aborted = await this.switching.abort({ actor, reason });
    if (aborted !== null) return aborted;
    throw new NonceError('NONCE_NOT_FOUND', { message: 'No switch is running.' });
  }

  private async epochOf(ifMatch: string | undefined): Promise<number> {
    const seen = ifMatchNumber(ifMatch);
    if (seen !== null) return seen;
    const { mode, epoch } = await this.switching.current();
    throw new NonceError('NONCE_PRECONDITION', {
      message: `A switch names the epoch it was decided upon: read GET /v1/ops/mode and send its ETag as If-Match, now "${epoch}".`,
      context: { mode, epoch },
    });
  }
}
