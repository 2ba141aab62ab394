import type { Provider } from '@nestjs/common';
import { FlushOverview } from '../../flush/flush-overview';
import { Preflight } from '../../modes/preflight';
import type { PreflightSources } from '../../modes/preflight-sources';
import type { Clock } from '../../ports/clock.port';
import type { FlushReports } from '../../ports/flush-report.port';
import type { MirrorReport } from '../../ports/mirror.port';
import { readServerProblems } from '../../postgres/boot-checks';
import type { OpenContinuity } from '../../recovery/open-continuity';
import { checkFastBoot } from '../../redis/fast-boot-checks';
import type { FastSide } from '../fast/fast-side';
import type { OpenDatabase } from '../open-database';
import type { ResolvedNonceOptions } from '../options';
import {
  CONTINUITY,
  DATABASE,
  FAST_SIDE,
  FLUSH_REPORTS,
  MIRROR_REPORT,
  NONCE_CLOCK,
  NONCE_OPTIONS,
} from '../tokens';
import { allShards } from './all-shards';

type Injected = [
  FastSide | null,
  FlushOverview,
  OpenContinuity | null,
  FlushReports,
  MirrorReport | null,
  OpenDatabase,
  Clock,
  ResolvedNonceOptions,
];

/** The checks of a switch, over the stores of this process. */
export function preflightProvider(): Provider {
  return {
    provide: Preflight,
    inject: [
      FAST_SIDE,
      FlushOverview,
      CONTINUITY,
      FLUSH_REPORTS,
      MIRROR_REPORT,
      DATABASE,
      NONCE_CLOCK,
      NONCE_OPTIONS,
    ],
    useFactory: (...injected: Injected) => {
      const [side, overview, opened, reports, mirror, database, clock, options] = injected;
      const sources: PreflightSources = {
        redis: side === null ? null : redisSource(side, overview, options),
        continuity: () => {
          if (opened === null) return null;
          const { status, reason } = opened.continuity.view();
          return { isHeld: status === 'held', reason };
        },
        flushers: async () => (await reports.read()).workers,
        mirror: () => mirrorState(mirror),
        databaseProblems: async () => {
          const problems = await readServerProblems(database.runner, options.database);
          return problems.map(({ pointer, detail }) => `${pointer} ${detail}`);
        },
      };
      return new Preflight(sources, clock);
    },
  };
}

function redisSource(
  side: FastSide,
  overview: FlushOverview,
  { redis }: ResolvedNonceOptions,
): NonNullable<PreflightSources['redis']> {
  return {
    canary: () => side.store.canary(allShards(redis.shards)),
    settings: async () => {
      const { problems, warnings } = await checkFastBoot(side.client);
      return { problems: problems.map(({ message }) => message), warnings };
    },
    queued: async () => (await overview.queue()).queued,
  };
}

async function mirrorState(mirror: MirrorReport | null): ReturnType<PreflightSources['mirror']> {
  const standing = (await mirror?.divergence()) ?? null;
  if (standing === null) return null;
  const { inStep, compared, differences } = standing;
  const detail =
    compared === null
      ? 'the first comparison has not ended'
      : `${String(compared)} submitters compared, ${String(differences)} differences`;
  return { inStep, detail };
}
