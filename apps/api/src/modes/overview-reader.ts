import type {
  MirrorReport,
  MirrorStanding,
  ModeSwitching,
  NonceHealthIndicator,
} from '@noncekit/nonce-core';
import { toModeSwitchDto } from './mode-switch.dto';
import { toModeDto } from './mode.dto';
import type { MirrorDto, OverviewDto } from './overview.dto';

const PART = 'nonce';

/** Mode, running switch and health of this node, in one answer. */
export class OverviewReader {
  constructor(
    private readonly switching: Pick<ModeSwitching, 'current' | 'history'>,
    private readonly health: Pick<NonceHealthIndicator, 'check'>,
    private readonly mirror: MirrorReport | null,
  ) {}

  async read(now: Date): Promise<OverviewDto> {
    const [mode, [newest], checked, standing] = await Promise.all([
      this.switching.current(),
      this.switching.history(1),
      this.health.check(PART),
      this.mirror?.divergence() ?? null,
    ]);
    const { status, ...parts } = { status: 'down', ...checked[PART] };
    const running = newest?.state === 'running' ? toModeSwitchDto(newest) : null;
    return {
      mode: toModeDto(mode),
      runningSwitch: running,
      mirror: standing === null ? null : toMirrorDto(standing),
      healthy: status === 'up',
      health: { ...parts },
      asOf: now.toISOString(),
    };
  }
}

function toMirrorDto({ inStep, divergences, asOfMs }: MirrorStanding): MirrorDto {
  return {
    inStep,
    divergences: divergences.map(({ submitter, kind, nonce, foundAtMs }) => ({
      ...{ submitter, kind, nonce },
      foundAt: new Date(foundAtMs).toISOString(),
    })),
    asOf: new Date(asOfMs).toISOString(),
  };
}
