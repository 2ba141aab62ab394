import { ApiProperty } from '@nestjs/swagger';
import type { AlignmentReport, SubmitterReconciliation } from '@noncekit/nonce-core';

/** What one comparison with the chain found and changed. */
export class AlignmentDto {
  @ApiProperty()
  submitter!: string;

  @ApiProperty({ type: 'integer', description: 'Issuing floor after the alignment' })
  chainLatest!: number;

  @ApiProperty({ type: 'integer', nullable: true })
  lastChainNonce!: number | null;

  @ApiProperty({ type: 'integer', description: 'Fresh nonces somebody else used' })
  foreignUse!: number;

  @ApiProperty({ type: 'integer', description: 'Unexposed holders at consumed nonces' })
  fenced!: number;

  @ApiProperty({ type: 'integer', description: 'Rows that became final by count' })
  finalized!: number;

  @ApiProperty({ type: 'integer', description: 'Rows that now need a decision' })
  stuck!: number;

  @ApiProperty({ type: 'integer', description: 'How far the count was below the known one' })
  lowered!: number;
}

/** What one comparison with witnesses and chain found, and changed unless it was a dry run. */
export class SubmitterReconciliationDto extends AlignmentDto {
  @ApiProperty()
  dryRun!: boolean;

  @ApiProperty({ description: 'The database knew less than a witness of it' })
  behindWitness!: boolean;
}

export function toSubmitterReconciliationDto(
  report: SubmitterReconciliation,
): SubmitterReconciliationDto {
  const { dryRun, behindWitness } = report;
  return Object.assign(toAlignmentDto(report), { dryRun, behindWitness });
}

export function toAlignmentDto(report: AlignmentReport): AlignmentDto {
  return {
    submitter: report.submitter,
    chainLatest: report.chainLatest,
    lastChainNonce: report.lastChainNonce,
    foreignUse: report.foreignUse,
    fenced: report.fenced,
    finalized: report.finalized,
    stuck: report.stuck ?? 0,
    lowered: report.lowered ?? 0,
  };
}
