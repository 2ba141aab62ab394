import { ApiProperty } from '@nestjs/swagger';
import { ModeSwitchDto } from './mode-switch.dto';
import { ModeDto } from './mode.dto';

export class MirrorDivergenceDto {
  @ApiProperty()
  submitter!: string;

  @ApiProperty({ description: 'What differs from Postgres, which is right' })
  kind!: string;

  @ApiProperty({ type: 'integer', nullable: true })
  nonce!: number | null;

  @ApiProperty({ format: 'date-time' })
  foundAt!: string;
}

/** How the mirror of DUAL_WRITE compares with Postgres. */
export class MirrorDto {
  @ApiProperty({ description: 'All submitters with open nonces were compared without difference' })
  inStep!: boolean;

  @ApiProperty({ type: [MirrorDivergenceDto], description: 'Newest first, bounded' })
  divergences!: readonly MirrorDivergenceDto[];

  @ApiProperty({ format: 'date-time' })
  asOf!: string;
}

/** What an operator looks at first. */
export class OverviewDto {
  @ApiProperty({ type: ModeDto })
  mode!: ModeDto;

  @ApiProperty({ type: ModeSwitchDto, nullable: true, description: 'The switch that goes on' })
  runningSwitch!: ModeSwitchDto | null;

  @ApiProperty({ type: MirrorDto, nullable: true, description: 'null while nobody compares' })
  mirror!: MirrorDto | null;

  @ApiProperty({ description: 'This node can serve; the same as /readyz without its draining' })
  healthy!: boolean;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'Each part of this node as /health tells it',
  })
  health!: Readonly<Record<string, unknown>>;

  @ApiProperty({ format: 'date-time' })
  asOf!: string;
}
