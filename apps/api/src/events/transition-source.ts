import { tellTransition, type TransitionLog, type TransitionPlace } from '@noncekit/nonce-core';
import type { EventLog } from './event-log';
import type { RelaySource } from './event-relay';

/** What became of transactions, as workers wrote it down. */
export class TransitionSource implements RelaySource {
  readonly name = 'transitions';
  private place: TransitionPlace | null = null;

  constructor(private readonly transitions: Pick<TransitionLog, 'after'>) {}

  async begin(): Promise<void> {
    if (this.place !== null) return;
    const { place } = await this.transitions.after(null);
    this.place ??= place;
  }

  async read(log: Pick<EventLog, 'add'>): Promise<void> {
    for (let more = true; more && this.place !== null;) {
      const { transitions, place } = await this.transitions.after(this.place);
      for (const transition of transitions) {
        tellTransition(transition, { publish: (name, payload) => log.add(name, payload) });
      }
      this.place = place;
      more = transitions.length > 0;
    }
  }

  end(): void {
    this.place = null;
  }
}
