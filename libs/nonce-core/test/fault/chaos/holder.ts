import { setTimeout as pause } from 'node:timers/promises';
import type { Allocation } from '../../../src/domain/allocation';
import type { NonceEngine } from '../../../src/ports/engine.port';
import type { SpokenFact } from '../history/history';
import type { Bytes, Signed } from './bytes';
import type { Recorder } from './recorder';

const TRIES = 4;
const RETRY_PAUSE_MS = 150;
/** A holder that is late by this much of its time acts after its nonce has been taken back. */
const LATE_FACTOR = 1.25;

export interface HolderSetting {
  readonly engine: Omit<NonceEngine, 'name'>;
  readonly recorder: Recorder;
  readonly bytes: Bytes;
  readonly ttlMs: number;
  readonly random: () => number;
}

/** A caller that keeps the rules: it sends only what it may, and says what it did. */
export class Holder {
  constructor(private readonly setting: HolderSetting) {}

  /** Writes an intent before it sends. */
  async actDeclared(allocation: Allocation): Promise<void> {
    const dice = this.setting.random();
    if (dice < 0.28 && allocation.operationId === null) return this.giveBack(allocation);
    if (dice < 0.38) return;
    if (dice < 0.45) await this.beat(allocation);
    else if (dice < 0.52) await pause(this.setting.ttlMs * LATE_FACTOR);
    await this.exposeAndSend(allocation, dice < 0.75 ? 'submitted' : 'used');
  }

  /** A plain handler: it sends without a word, and reports afterwards or never. */
  async actPlain(allocation: Allocation): Promise<void> {
    const dice = this.setting.random();
    if (dice < 0.3) return this.giveBack(allocation);
    if (dice < 0.38) await pause(this.setting.ttlMs * LATE_FACTOR);
    const signed = await this.setting.bytes.prepare(allocation);
    this.setting.recorder.sends(allocation, signed.txHash);
    const reached = await this.setting.bytes.send(signed);
    if (dice < 0.48) return;
    if (dice < 0.6 || !reached) await this.say(allocation, 'quarantine', null);
    else await this.say(allocation, dice < 0.75 ? 'submitted' : 'used', signed);
  }

  /** Exposes it and is done with it. */
  async spend(allocation: Allocation): Promise<void> {
    await this.exposeAndSend(allocation, 'used');
  }

  private async exposeAndSend(allocation: Allocation, word: 'submitted' | 'used'): Promise<void> {
    const { bytes, recorder } = this.setting;
    const signed = await bytes.prepare(allocation);
    if ((await this.say(allocation, 'intent', signed)) !== 'accepted') return;
    recorder.sends(allocation, signed.txHash);
    await bytes.send(signed);
    await this.say(allocation, word, signed);
  }

  private async giveBack(allocation: Allocation): Promise<void> {
    await this.say(allocation, 'recyclable', null);
  }

  private async beat(allocation: Allocation): Promise<void> {
    const { engine, ttlMs } = this.setting;
    // Whatever it is told, the word that follows is judged by itself.
    await engine.heartbeat(allocation, { ttlMs }).catch(() => undefined);
  }

  /** Says it again, as a careful caller does, while it does not know whether it was heard. */
  private async say(
    allocation: Allocation,
    word: SpokenFact['word'],
    signed: Signed | null,
  ): Promise<SpokenFact['answer']> {
    const { recorder } = this.setting;
    const txHash = signed?.txHash ?? null;
    let answer: SpokenFact['answer'] = 'unknown';
    for (let attempt = 0; attempt < TRIES && answer === 'unknown'; attempt += 1) {
      if (attempt > 0) await pause(RETRY_PAUSE_MS);
      answer = await recorder.spoken(allocation, { word, txHash }, () =>
        signed === null
          ? this.askUnsent(allocation, word)
          : this.askSigned(allocation, word, signed),
      );
    }
    return answer;
  }

  private askSigned(ref: Allocation, word: SpokenFact['word'], signed: Signed): Promise<unknown> {
    const { engine } = this.setting;
    if (word === 'intent') return engine.intent(ref, signed);
    if (word === 'submitted') return engine.markSubmitted(ref, signed);
    return engine.markUsed(ref, signed);
  }

  private askUnsent(ref: Allocation, word: SpokenFact['word']): Promise<unknown> {
    const { engine } = this.setting;
    if (word === 'recyclable') return engine.markRecyclable(ref, { reason: 'not needed' });
    return engine.quarantine(ref, { reason: 'perhaps sent' });
  }
}
