import { IsInt, IsOptional, IsUrl, Matches, Max, Min } from 'class-validator';
import { FromEnvironment } from './setting';
import { TrackingEnvironment } from './tracking-environment';

const WEEK_MS = 604_800_000;

/** When people are told that something is wrong, and how. */
export class AlarmEnvironment extends TrackingEnvironment {
  @FromEnvironment({
    name: 'NONCE_ALARM_RESERVED_AGE_MS',
    kind: 'integer',
    unit: 'ms',
    reason: 'Age at which a reserved nonce is told of: a transaction should be mined long before.',
  })
  @IsInt()
  @Min(1_000)
  @Max(WEEK_MS)
  alarmReservedAgeMs = 600_000;

  @FromEnvironment({
    name: 'NONCE_ALARM_RECYCLABLE_GROWTH',
    kind: 'integer',
    unit: 'nonces',
    reason:
      'Nonces of a submitter that became free within ten minutes and were not issued again: handlers keep failing.',
  })
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  alarmRecyclableGrowth = 100;

  @FromEnvironment({
    name: 'NONCE_ALARM_CHAIN_LAG',
    kind: 'integer',
    unit: 'nonces',
    reason:
      'Issued nonces beyond the count of the chain; the default is three quarters of the window, after which nothing fresh is issued.',
  })
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  alarmChainLag = 48;

  @FromEnvironment({
    name: 'NONCE_ALARM_ALIGNMENT_AGE_MS',
    kind: 'integer',
    unit: 'ms',
    reason:
      'Age of the last alignment with the chain: later ones failed. Idle accounts are aligned every 20 intervals, so keep it above twice that.',
  })
  @IsInt()
  @Min(1_000)
  @Max(WEEK_MS)
  alarmAlignmentAgeMs = 600_000;

  @FromEnvironment({
    name: 'NONCE_ALARM_REDIS_DOWN_MS',
    kind: 'integer',
    unit: 'ms',
    reason: 'Time in DEGRADED: a restart of Redis is shorter.',
  })
  @IsInt()
  @Min(1_000)
  @Max(WEEK_MS)
  alarmRedisDownMs = 30_000;

  @FromEnvironment({
    name: 'NONCE_ALARM_WEBHOOK_URL',
    kind: 'text',
    secret: true,
    reason: 'Receives alarms as JSON by POST, again until it answers 2xx, for a day.',
  })
  @IsOptional()
  @IsUrl({ protocols: ['http', 'https'], require_protocol: true, require_tld: false })
  alarmWebhookUrl?: string;

  @FromEnvironment({
    name: 'NONCE_ALARM_WEBHOOK_SECRET',
    kind: 'text',
    secret: true,
    reason: 'Signs what the webhook receives: X-Noncekit-Signature is its HMAC-SHA256.',
  })
  @IsOptional()
  @Matches(/^\S+$/)
  alarmWebhookSecret?: string;
}
