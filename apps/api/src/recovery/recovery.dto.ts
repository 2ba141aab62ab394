import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ALLOCATION_LIMITS, type RecoveryState } from '@noncekit/nonce-core';
import { IsBoolean } from 'class-validator';
import { BoundedText } from '../http/bounded-text';
import { IfPresent } from '../http/if-present';

const STATUSES = ['off', 'unverified', 'trusted', 'held'] as const;
const MAX_SUBMITTER_LENGTH = 100;

/** What an operator vouches for, and why; kept in the audit. */
export class RecoveryConfirmationDto {
  @ApiProperty({ minLength: 1, maxLength: ALLOCATION_LIMITS.maxNoteLength })
  @BoundedText(ALLOCATION_LIMITS.maxNoteLength)
  reason!: string;

  @ApiPropertyOptional({
    description: 'Ends the recovery of this submitter; without it a hold is lifted',
  })
  @IfPresent()
  @BoundedText(MAX_SUBMITTER_LENGTH)
  submitter?: string;

  @ApiPropertyOptional({
    default: false,
    description:
      'Vouches that the database forgot nothing. Without it, all that could have been issued since an older state is quarantined first.',
  })
  @IfPresent()
  @IsBoolean()
  intact?: boolean;
}

export class SubmitterRecoveryDto {
  @ApiProperty({ example: 'eip155:1:0x52908400098527886e0f7030069857d2e4169ee7' })
  submitter!: string;

  @ApiProperty({ format: 'date-time' })
  since!: string;

  @ApiProperty()
  reason!: string;

  @ApiProperty({ type: 'integer', description: 'Quarantined nonces that nothing has settled yet' })
  open!: number;
}

/** Whether the database is known to go on from where it was, and what it may have forgotten. */
export class RecoveryDto {
  @ApiProperty({ enum: STATUSES, description: 'held: nothing is issued until it is confirmed' })
  status!: (typeof STATUSES)[number];

  @ApiProperty({ type: String, nullable: true })
  reason!: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  serverStartedAt!: string | null;

  @ApiProperty({ type: 'integer', description: 'Submitters in recovery' })
  total!: number;

  @ApiProperty({ type: [SubmitterRecoveryDto], description: 'The longest first, at most 100' })
  items!: SubmitterRecoveryDto[];
}

const NO_CONTINUITY: RecoveryDto = {
  status: 'off',
  reason: null,
  serverStartedAt: null,
  total: 0,
  items: [],
};

export function toRecoveryDto(state: RecoveryState | null): RecoveryDto {
  if (state === null) return NO_CONTINUITY;
  const { status, reason, server, recoveries } = state;
  return {
    status,
    reason,
    serverStartedAt: server === null ? null : fromMicroseconds(server.startedAt),
    total: recoveries.total,
    items: recoveries.items.map(({ submitter, since, reason: why, open }) => ({
      submitter,
      since: since.toISOString(),
      reason: why,
      open,
    })),
  };
}

function fromMicroseconds(text: string): string {
  return new Date(Number(BigInt(text) / 1_000n)).toISOString();
}
