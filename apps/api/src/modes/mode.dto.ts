import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  ALLOCATION_LIMITS,
  ENGINE_MODES,
  LASTING_MODES,
  modesAfter,
  type EngineMode,
  type LastingMode,
  type ModeRow,
} from '@noncekit/nonce-core';
import { IsBoolean, IsIn, IsInt, Max, Min } from 'class-validator';
import { BoundedText } from '../http/bounded-text';
import { DecimalQuery } from '../http/decimal-query';
import { IfPresent } from '../http/if-present';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;
const MAX_ID = Number.MAX_SAFE_INTEGER;

/** The mode in force. Its `epoch` is the `ETag` that a switch has to name. */
export class ModeDto {
  @ApiProperty({ enum: ENGINE_MODES, enumName: 'EngineMode' })
  mode!: EngineMode;

  @ApiProperty({ type: 'integer', description: 'Rises with every switch' })
  epoch!: number;

  @ApiProperty({ format: 'date-time' })
  since!: string;

  @ApiProperty({ type: 'integer', description: 'Time since then, by the clock of Postgres' })
  ageMs!: number;

  @ApiProperty({ description: 'Name of the key, or of the part of the program, that switched' })
  by!: string;

  @ApiProperty()
  reason!: string;

  @ApiProperty({ description: 'An operator has decided: nothing returns or promotes by itself' })
  pinned!: boolean;

  @ApiProperty({
    enum: LASTING_MODES,
    nullable: true,
    description: 'Where DEGRADED goes back to by itself',
  })
  returnTo!: LastingMode | null;

  @ApiProperty({ enum: ENGINE_MODES, enumName: 'EngineMode', isArray: true })
  mayFollow!: readonly EngineMode[];

  @ApiProperty({ type: 'integer', nullable: true, description: 'Switch whose phases go on' })
  runningSwitch!: number | null;
}

export class SwitchOrderDto {
  @ApiProperty({ enum: ENGINE_MODES, enumName: 'EngineMode' })
  @IsIn(ENGINE_MODES)
  mode!: EngineMode;

  @ApiProperty({ minLength: 1, maxLength: ALLOCATION_LIMITS.maxNoteLength })
  @BoundedText(ALLOCATION_LIMITS.maxNoteLength)
  reason!: string;

  @ApiPropertyOptional({ description: 'Only the checks; nothing is switched' })
  @IfPresent()
  @IsBoolean()
  dryRun?: boolean;
}

export class ListSwitchesQuery {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MAX_LIMIT })
  @DecimalQuery()
  @IsInt()
  @Min(1)
  @Max(MAX_LIMIT)
  limit: number = DEFAULT_LIMIT;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, description: 'Only switches before this id' })
  @DecimalQuery()
  @IfPresent()
  @IsInt()
  @Min(1)
  @Max(MAX_ID)
  before?: number;
}

export function toModeDto(row: ModeRow): ModeDto {
  return {
    mode: row.mode,
    epoch: row.epoch,
    since: new Date(row.sinceMs).toISOString(),
    ageMs: Math.round(row.ageMs),
    by: row.actor,
    reason: row.reason,
    pinned: row.pinned,
    returnTo: row.returnTo,
    mayFollow: modesAfter(row.mode),
    runningSwitch: row.runningSwitch,
  };
}
