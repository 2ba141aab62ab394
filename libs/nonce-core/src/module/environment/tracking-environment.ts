import { IsInt, Max, Min } from 'class-validator';
import { FromEnvironment } from './setting';
import { SwitchingEnvironment } from './switching-environment';

/** How long a transaction that makes no progress is waited for, and how often it is sent again. */
export class TrackingEnvironment extends SwitchingEnvironment {
  @FromEnvironment({
    name: 'NONCE_STUCK_AFTER_MS',
    kind: 'integer',
    unit: 'ms',
    reason:
      'Time without any news after which a nonce is reported as stuck and its fee may be raised: longer than a congested queue holds a well-priced transaction.',
  })
  @IsInt()
  @Min(1_000)
  @Max(86_400_000)
  stuckAfterMs = 600_000;

  @FromEnvironment({
    name: 'NONCE_RESEND_PER_MINUTE',
    kind: 'integer',
    unit: 'sends',
    reason: 'The bytes of one nonce leave again at most this often: one per block of a slow chain.',
  })
  @IsInt()
  @Min(1)
  @Max(600)
  resendPerMinute = 6;

  @FromEnvironment({
    name: 'NONCE_RESEND_TOTAL',
    kind: 'integer',
    unit: 'sends',
    reason:
      'After as many the nonce waits for a decision; 20,000 are two weeks at the slowest pace, longer than a top-up takes.',
  })
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  resendTotal = 20_000;

  @FromEnvironment({
    name: 'NONCE_RETENTION_TRANSITIONS_MS',
    kind: 'integer',
    unit: 'ms',
    reason:
      'How long told moves of transactions are kept for event streams of other processes: longer than such a process may be away.',
  })
  @IsInt()
  @Min(60_000)
  @Max(31_536_000_000)
  retentionTransitionsMs = 604_800_000;
}
