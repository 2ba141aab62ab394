import { createHmac } from 'node:crypto';
import { runbookOf, type Alarm } from '../../domain/alarm';
import type { AlarmSink } from '../../ports/alarm.port';

export interface WebhookSettings {
  readonly url: string;
  /** Signs the body; null = no signature. */
  readonly secret: string | null;
}

/** A receiver that takes longer is asked again. */
const TIMEOUT_MS = 5_000;

/**
 * Posts alarms as JSON. With a secret the header `X-Noncekit-Signature` is `sha256=` and the
 * HMAC-SHA256 of the body in hex. Everything but an answer of 2xx counts as not told.
 */
export class WebhookAlarmSink implements AlarmSink {
  readonly name = 'webhook';

  constructor(private readonly settings: WebhookSettings) {}

  async deliver(alarm: Alarm): Promise<void> {
    const { url, secret } = this.settings;
    const body = JSON.stringify({ ...alarm, runbook: runbookOf(alarm.kind) });
    const headers: Record<string, string> = { 'content-type': 'application/json' };
    if (secret !== null) {
      const digest = createHmac('sha256', secret).update(body).digest('hex');
      headers['x-noncekit-signature'] = `sha256=${digest}`;
    }
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    // A redirect would take the body to a place that nobody configured.
    const answer = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'error' });
    await answer.body?.cancel();
    if (!answer.ok) throw new Error(`the webhook answered ${String(answer.status)}`);
  }
}
