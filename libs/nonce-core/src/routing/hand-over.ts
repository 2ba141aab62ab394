import { isNonceError } from '../domain/errors/nonce-error';
import type { FastStore, FastView, FlushEvent, HandedOver } from '../ports/fast-store.port';
import type { Logger } from '../ports/logger.port';
import type { EpochHandOver } from '../ports/take-over.port';

export interface HandOverPorts {
  readonly fast: Pick<FastStore, 'handOver' | 'forget'>;
  /** Makes rows of facts, in any order and any number of times the same ones. */
  readonly apply: (facts: readonly FlushEvent[]) => Promise<void>;
  readonly logger: Logger;
}

type Answer = HandedOver | null | Error;

/** With command timeouts of 400 ms a store may be silent for two seconds, as on a machine that is overloaded. */
const ATTEMPTS = 5;

/**
 * Ends epochs in the fast store and brings its facts to Postgres. Whoever dies in between leaves
 * nothing that another node would not do again with the same result.
 */
export class HandOver implements EpochHandOver {
  constructor(private readonly ports: HandOverPorts) {}

  async end(views: readonly FastView[]): Promise<readonly (number | null)[]> {
    if (views.length === 0) return [];
    const ended = await this.endInStore(views);
    const facts = ended.flatMap((answer) => (isHandedOver(answer) ? answer.facts : []));
    if (facts.length > 0) await this.ports.apply(facts);
    return ended.map((answer) => (isHandedOver(answer) ? answer.next : null));
  }

  async forget(views: readonly FastView[]): Promise<void> {
    if (views.length === 0) return;
    try {
      await this.ports.fast.forget(views);
    } catch (error) {
      // It is of no use any more, and the next opening clears it.
      this.ports.logger.debug('a fast store keeps epochs that are over', {
        reason: String(error),
      });
    }
  }

  /**
   * A lost answer is asked for again: giving the store up costs live holders their nonces. A store
   * that is down costs no time here, since its breaker refuses the later calls at once.
   */
  private async endInStore(views: readonly FastView[]): Promise<readonly Answer[]> {
    const answers = [...(await this.ask(views))];
    for (let attempt = 1; attempt < ATTEMPTS; attempt += 1) {
      const lost = [...views.keys()].filter((i) => answers[i] instanceof Error);
      if (lost.length === 0) break;
      const again = await this.ask(lost.map((i) => views[i] as FastView));
      lost.forEach((i, at) => (answers[i] = again[at] ?? null));
    }
    this.tellUnheard(views, answers);
    return answers.map((answer) => (answer instanceof Error ? null : answer));
  }

  private tellUnheard(views: readonly FastView[], answers: readonly Answer[]): void {
    const lost = views.filter((_, i) => answers[i] instanceof Error);
    const error = answers.find((answer) => answer instanceof Error);
    if (lost.length === 0 || error === undefined) return;
    const reason = isNonceError(error) ? error.context['reason'] : undefined;
    this.ports.logger.warn('fast epochs are closed unheard: their holders may be fenced', {
      epochs: lost.length,
      first: lost[0],
      reason: reason ?? String(error),
    });
  }

  private async ask(views: readonly FastView[]): Promise<readonly Answer[]> {
    try {
      return await this.ports.fast.handOver(views);
    } catch (error) {
      return views.map(() => error as Error);
    }
  }
}

function isHandedOver(answer: Answer): answer is HandedOver {
  return answer !== null && !(answer instanceof Error);
}
