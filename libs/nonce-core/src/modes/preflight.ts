import type { Clock } from '../ports/clock.port';
import type { PreflightCheck } from '../ports/mode-switch.port';
import type { PreflightSources, SwitchWay } from './preflight-sources';
import { PREFLIGHT_TABLE } from './preflight-table';

/** A source that needs longer is of no use to the mode either. */
const PATIENCE_MS = 2_000;

/** Runs the checks of a way, all at once, and never throws: what does not answer has failed. */
export class Preflight {
  constructor(
    private readonly sources: PreflightSources,
    private readonly clock: Clock,
  ) {}

  async run(way: SwitchWay): Promise<readonly PreflightCheck[]> {
    const rows = PREFLIGHT_TABLE.filter(({ appliesTo }) => appliesTo(way));
    return Promise.all(
      rows.map(async ({ name, find, fix }) => {
        try {
          return { name, ...(await this.within(find(this.sources, way))) };
        } catch (error) {
          const detail = error instanceof Error ? error.message : String(error);
          return { name, ok: false, detail, fix };
        }
      }),
    );
  }

  private async within<Found>(found: Promise<Found>): Promise<Found> {
    const patience = new AbortController();
    const late = this.clock.sleep(PATIENCE_MS, patience.signal).then((): never => {
      throw new Error(`no answer within ${String(PATIENCE_MS)} ms`);
    });
    // When the answer comes first, the aborted wait throws where nobody listens.
    late.catch(() => undefined);
    try {
      return await Promise.race([found, late]);
    } finally {
      patience.abort();
    }
  }
}
