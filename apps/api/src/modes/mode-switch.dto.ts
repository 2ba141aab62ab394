import { ApiProperty } from '@nestjs/swagger';
import {
  ENGINE_MODES,
  SWITCH_PHASES,
  type DrainWait,
  type EngineMode,
  type ModeSwitch,
  type PhaseReport,
  type SwitchPhase,
  type SwitchState,
} from '@noncekit/nonce-core';

const STATES = ['running', 'done', 'aborted'] as const satisfies readonly SwitchState[];

export class SwitchPhaseDto {
  @ApiProperty({ enum: SWITCH_PHASES })
  phase!: SwitchPhase;

  @ApiProperty({ format: 'date-time' })
  startedAt!: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  endedAt!: string | null;

  @ApiProperty({ type: 'integer', nullable: true, description: 'null while it goes on' })
  durationMs!: number | null;

  @ApiProperty({ type: String, nullable: true })
  note!: string | null;
}

export class DrainWaitDto {
  @ApiProperty({ type: 'integer', description: 'Events of Redis that Postgres has not applied' })
  events!: number;

  @ApiProperty({ type: 'integer', description: 'Grants of Redis that nobody has settled' })
  grants!: number;

  @ApiProperty({ type: 'integer', description: 'Submitters whose epoch in Redis still rules' })
  epochs!: number;

  @ApiProperty({ format: 'date-time', description: 'When the rest is parked in Postgres' })
  deadlineAt!: string;
}

/** One switch of the mode; it counts from the end of its phase `record` on. */
export class ModeSwitchDto {
  @ApiProperty({ type: 'integer' })
  id!: number;

  @ApiProperty({ enum: ENGINE_MODES, enumName: 'EngineMode' })
  from!: EngineMode;

  @ApiProperty({ enum: ENGINE_MODES, enumName: 'EngineMode' })
  to!: EngineMode;

  @ApiProperty({ type: 'integer', description: 'The epoch it made' })
  epoch!: number;

  @ApiProperty()
  by!: string;

  @ApiProperty()
  reason!: string;

  @ApiProperty({ description: 'Nobody ordered it: Redis failed, came back, or load was lasting' })
  automatic!: boolean;

  @ApiProperty({
    enum: STATES,
    description: 'aborted: its phases were ended before they were done',
  })
  state!: SwitchState;

  @ApiProperty({ format: 'date-time' })
  startedAt!: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  endedAt!: string | null;

  @ApiProperty({ type: [SwitchPhaseDto] })
  phases!: readonly SwitchPhaseDto[];

  @ApiProperty({ type: DrainWaitDto, nullable: true })
  waitsFor!: DrainWaitDto | null;
}

export class ModeSwitchesDto {
  @ApiProperty({ type: [ModeSwitchDto], description: 'Newest first' })
  items!: readonly ModeSwitchDto[];

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Send it as `before` to read on; null on the last page',
  })
  nextBefore!: number | null;
}

/** One thing that was looked at before a switch. */
export class PreflightCheckDto {
  @ApiProperty({ example: 'redis-eviction' })
  name!: string;

  @ApiProperty()
  ok!: boolean;

  @ApiProperty()
  detail!: string;

  @ApiProperty({ type: String, nullable: true })
  fix!: string | null;
}

/** What a dry run found. */
export class PreflightDto {
  @ApiProperty({ enum: ENGINE_MODES, enumName: 'EngineMode' })
  mode!: EngineMode;

  @ApiProperty({ type: 'integer', description: 'The epoch it was checked against' })
  epoch!: number;

  @ApiProperty({ description: 'Whether the switch would be made' })
  possible!: boolean;

  @ApiProperty({ type: [PreflightCheckDto] })
  checks!: readonly PreflightCheckDto[];
}

export function toModeSwitchDto(one: ModeSwitch): ModeSwitchDto {
  return {
    id: one.id,
    from: one.from,
    to: one.to,
    epoch: one.epoch,
    by: one.actor,
    reason: one.reason,
    automatic: one.automatic,
    state: one.state,
    startedAt: instant(one.startedAtMs),
    endedAt: one.endedAtMs === null ? null : instant(one.endedAtMs),
    phases: one.phases.map(toPhaseDto),
    waitsFor: one.waitsFor === null ? null : toWaitDto(one.waitsFor),
  };
}

function toPhaseDto({ phase, startedAtMs, endedAtMs, note }: PhaseReport): SwitchPhaseDto {
  return {
    phase,
    startedAt: instant(startedAtMs),
    endedAt: endedAtMs === null ? null : instant(endedAtMs),
    durationMs: endedAtMs === null ? null : Math.max(0, Math.round(endedAtMs - startedAtMs)),
    note,
  };
}

function toWaitDto({ events, grants, epochs, deadlineMs }: DrainWait): DrainWaitDto {
  return { events, grants, epochs, deadlineAt: instant(deadlineMs) };
}

function instant(ms: number): string {
  return new Date(ms).toISOString();
}
