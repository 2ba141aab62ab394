import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Allocation } from '../../../src/domain/allocation';
import type { Hex } from '../../../src/domain/brand';
import type { NonceEngine } from '../../../src/ports/engine.port';
import type { SpokenFact } from '../history/history';
import type { Recorder } from './recorder';

const TRIES = 4;
const RETRY_PAUSE_MS = 150;
/** A holder that is late by this much of its time acts after its nonce has been taken back. */
const LATE_FACTOR = 1.25;

export interface HolderSetting {
  readonly engine: NonceEngine;
  readonly recorder: Recorder;
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
    const txHash = hashFor(allocation);
    if ((await this.say(allocation, 'intent', txHash)) !== 'accepted') return;
    this.setting.recorder.sends(allocation, txHash);
    await this.say(allocation, dice < 0.75 ? 'submitted' : 'used', txHash);
  }

  /** A plain handler: it sends without a word, and reports afterwards or never. */
  async actPlain(allocation: Allocation): Promise<void> {
    const dice = this.setting.random();
    if (dice < 0.3) return this.giveBack(allocation);
    if (dice < 0.38) await pause(this.setting.ttlMs * LATE_FACTOR);
    const txHash = hashFor(allocation);
    this.setting.recorder.sends(allocation, txHash);
    if (dice < 0.48) return;
    if (dice < 0.6) await this.say(allocation, 'quarantine', null);
    else await this.say(allocation, dice < 0.75 ? 'submitted' : 'used', txHash);
  }

  /** Exposes it and is done with it. */
  async spend(allocation: Allocation): Promise<void> {
    const txHash = hashFor(allocation);
    if ((await this.say(allocation, 'intent', txHash)) !== 'accepted') return;
    this.setting.recorder.sends(allocation, txHash);
    await this.say(allocation, 'used', txHash);
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
    txHash: Hex | null,
  ): Promise<SpokenFact['answer']> {
    const { recorder } = this.setting;
    let answer: SpokenFact['answer'] = 'unknown';
    for (let attempt = 0; attempt < TRIES && answer === 'unknown'; attempt += 1) {
      if (attempt > 0) await pause(RETRY_PAUSE_MS);
      answer = await recorder.spoken(allocation, { word, txHash }, () =>
        this.ask(allocation, word, txHash),
      );
    }
    return answer;
  }

  private ask(ref: Allocation, word: SpokenFact['word'], txHash: Hex | null): Promise<unknown> {
    const { engine } = this.setting;
    switch (word) {
      case 'intent':
        return engine.intent(ref, { txHash: txHash ?? hashFor(ref) });
      case 'submitted':
        return engine.markSubmitted(ref, { txHash: txHash ?? hashFor(ref) });
      case 'used':
        return engine.markUsed(ref, txHash === null ? {} : { txHash });
      case 'recyclable':
        return engine.markRecyclable(ref, { reason: 'not needed' });
      case 'quarantine':
        return engine.quarantine(ref, { reason: 'perhaps sent' });
    }
  }
}

/** All runs of one operation at one nonce send the same bytes. */
function hashFor({ submitter, nonce, operationId }: Allocation): Hex {
  if (operationId === null) return `0x${randomBytes(32).toString('hex')}`;
  const bytes = createHash('sha256').update(`${submitter} ${nonce} ${operationId}`).digest('hex');
  return `0x${bytes}`;
}
