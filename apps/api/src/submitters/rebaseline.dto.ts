import { ApiProperty } from '@nestjs/swagger';
import type { RebaselineReport } from '@noncekit/nonce-core';

/** What a reset did, or would do. */
export class RebaselineDto {
  @ApiProperty()
  submitter!: string;

  @ApiProperty({ description: 'Whether it was done; false for a dry run' })
  done!: boolean;

  @ApiProperty({ type: String, nullable: true, description: 'Genesis block of the old chain' })
  knownGenesis!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'Genesis block of the new chain' })
  genesis!: string | null;

  @ApiProperty({ type: 'integer', description: 'Chain generation after it' })
  generation!: number;

  @ApiProperty({ type: 'integer' })
  epoch!: number;

  @ApiProperty({ type: 'integer', description: 'First nonce on the new chain' })
  nextNonce!: number;

  @ApiProperty({
    type: 'integer',
    description:
      'Nonces of the old chain that may have been sent: their operations stay as they are',
  })
  kept!: number;

  @ApiProperty({ type: 'integer', description: 'Nonces of the old chain that were never exposed' })
  ended!: number;
}

export function toRebaselineDto(report: RebaselineReport): RebaselineDto {
  const { submitter, verdict, knownGenesis, genesisHash, ...numbers } = report;
  const { generation, epoch, nextNonce, kept, ended } = numbers;
  return {
    submitter,
    done: verdict === 'rebaselined',
    knownGenesis,
    genesis: genesisHash,
    generation,
    epoch,
    nextNonce,
    kept,
    ended,
  };
}
