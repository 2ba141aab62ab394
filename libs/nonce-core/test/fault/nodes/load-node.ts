/**
 * One node under load. Takes orders on its input, one after the other, and reports every grant the
 * moment it is acknowledged; a grant that was reported is one that a caller relies on.
 */
import { randomBytes } from 'node:crypto';
import type { Allocation } from '../../../src/domain/allocation';
import type { Hex } from '../../../src/domain/brand';
import { isNonceError } from '../../../src/domain/errors/nonce-error';
import { commands, report } from '../../support/child-messages';
import { seededRandom } from '../seeded-random';
import { openNode, type NodeOptions, type OpenNode } from './open-node';
import { shiftWallClock } from './shifted-clock';

export interface LoadOrder {
  readonly order: number;
  readonly node: NodeOptions;
  readonly submitters: readonly string[];
  readonly callers: number;
  /** Allocations of each caller; null goes on until `finish`. */
  readonly perCaller: number | null;
  readonly ttlMs: number;
  /** `hold` only takes; `settle` also ends grants in every way a holder may. */
  readonly work: 'hold' | 'settle';
  readonly clockShiftMs?: number;
  readonly seed: number;
}

export type LoadCommand =
  | { readonly kind: 'order'; readonly order: LoadOrder }
  | { readonly kind: 'go' }
  | { readonly kind: 'finish' };

export type LoadMessage =
  | { readonly kind: 'ready' | 'finished'; readonly order: number }
  | {
      readonly kind: 'granted';
      readonly order: number;
      readonly submitter: string;
      readonly nonce: number;
      readonly id: string;
      readonly source: string;
    }
  /** The holder gave it up, or was told that it lost it. */
  | { readonly kind: 'ended'; readonly order: number; readonly id: string }
  | { readonly kind: 'refused'; readonly order: number; readonly code: string };

class Load {
  private finishing = false;
  private readonly random: () => number;

  constructor(
    private readonly order: LoadOrder,
    private readonly node: OpenNode,
  ) {
    this.random = seededRandom(order.seed);
  }

  async run(): Promise<void> {
    const { callers, order } = this.order;
    await Promise.all(Array.from({ length: callers }, (_, caller) => this.call(caller)));
    await this.node.close();
    report({ kind: 'finished', order } satisfies LoadMessage);
  }

  finish(): void {
    this.finishing = true;
  }

  private async call(caller: number): Promise<void> {
    const { submitters, perCaller, order, work } = this.order;
    for (let turn = 0; turn !== perCaller && !this.finishing; turn += 1) {
      const submitter = submitters[(caller + turn) % submitters.length] ?? '';
      try {
        const [grant] = await this.node.nonces.allocate(submitter, { ttlMs: this.order.ttlMs });
        if (grant === undefined) throw new Error('a grant without an allocation');
        const { nonce, id, source } = grant;
        report({ kind: 'granted', order, submitter, nonce, id, source } satisfies LoadMessage);
        if (work === 'settle') await this.settle(grant);
      } catch (error) {
        const code = isNonceError(error) ? error.code : String(error);
        report({ kind: 'refused', order, code } satisfies LoadMessage);
      }
    }
  }

  private async settle(grant: Allocation): Promise<void> {
    const { nonces } = this.node;
    const dice = this.random();
    const txHash: Hex = `0x${randomBytes(32).toString('hex')}`;
    const ended = { kind: 'ended', order: this.order.order, id: grant.id } satisfies LoadMessage;
    try {
      if (dice < 0.4) {
        // Said before it is done: whoever gets the nonce next may be told sooner than this caller.
        report(ended);
        await nonces.markRecyclable(grant, { reason: 'not needed' });
      } else if (dice < 0.6) {
        await nonces.markUsed(grant);
      } else if (dice < 0.8) {
        await nonces.heartbeat(grant, { ttlMs: this.order.ttlMs });
        await nonces.intent(grant, { txHash });
      } else {
        await nonces.intent(grant, { txHash });
        await nonces.markSubmitted(grant, { txHash });
      }
    } catch (error) {
      const lost =
        isNonceError(error, 'NONCE_FENCED') || isNonceError(error, 'NONCE_ALLOCATION_CLOSED');
      if (!lost) throw error;
      report(ended);
    }
  }
}

async function main(): Promise<void> {
  let load: Load | undefined;
  let running: Promise<void> | undefined;
  for await (const command of commands<LoadCommand>()) {
    switch (command.kind) {
      case 'order': {
        const { order } = command;
        shiftWallClock(order.clockShiftMs ?? 0);
        load = new Load(order, await openNode(order.node));
        report({ kind: 'ready', order: order.order } satisfies LoadMessage);
        break;
      }
      case 'go':
        running = load?.run();
        break;
      case 'finish':
        load?.finish();
        await running;
        break;
    }
  }
}

void main();
