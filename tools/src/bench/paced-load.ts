import { performance } from 'node:perf_hooks';

export interface PacePlan {
  /** Callers that come in a second, whether those before them were answered or not. */
  readonly callersPerSecond: number;
}

/** What one call of a caller met. Times are of the machine's clock, so that processes can be compared. */
export interface CallRecord {
  readonly beganAtMs: number;
  readonly waitedMs: number;
  readonly call: 'allocate' | 'markUsed';
  /** Who granted, or null for a call that settles or fails. */
  readonly engine: string | null;
  /** Code or message of the error; null when the call was served. */
  readonly failure: string | null;
}

/** Says what it did by as many records as it likes, and never rejects. */
export type Caller = (note: (record: CallRecord) => void) => Promise<void>;

/** Short beside every wait that is looked for. */
const TICK_MS = 5;

/** Callers that come at a pace of their own: one that waits keeps nobody from coming after it. */
export class PacedLoad {
  private readonly records: CallRecord[] = [];
  private readonly running = new Set<Promise<void>>();
  private readonly startedAtMs = performance.now();
  private readonly timer: NodeJS.Timeout;
  private begun = 0;

  constructor(
    private readonly plan: PacePlan,
    private readonly caller: Caller,
  ) {
    this.timer = setInterval(() => {
      this.sendDue();
    }, TICK_MS);
  }

  /** Lets no more come and waits for those that are there. */
  async stop(): Promise<readonly CallRecord[]> {
    clearInterval(this.timer);
    await Promise.all(this.running);
    return this.records;
  }

  private sendDue(): void {
    const elapsedMs = performance.now() - this.startedAtMs;
    const due = Math.floor((elapsedMs * this.plan.callersPerSecond) / 1_000);
    for (; this.begun < due; this.begun += 1) {
      const call = this.caller((record) => this.records.push(record)).finally(() => {
        this.running.delete(call);
      });
      this.running.add(call);
    }
  }
}

/** Milliseconds since 1970 with fractions, the same in all processes of a machine. */
export function clockMs(): number {
  return performance.timeOrigin + performance.now();
}
