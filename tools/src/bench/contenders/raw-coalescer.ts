interface Waiting<Request, Answer> {
  readonly request: Request;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/**
 * The least that coalesces: while a statement is under way the next batch gathers, and a batch
 * starts one event-loop turn after it could. No limits, no retries, no order between submitters.
 */
export class RawCoalescer<Request, Answer> {
  private waiting: Waiting<Request, Answer>[] = [];
  private busy = false;

  constructor(private readonly run: (requests: readonly Request[]) => Promise<readonly Answer[]>) {}

  submit(request: Request): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ request, resolve, reject });
      this.plan();
    });
  }

  private plan(): void {
    if (this.busy || this.waiting.length === 0) return;
    this.busy = true;
    setImmediate(() => void this.fly());
  }

  private async fly(): Promise<void> {
    const batch = this.waiting;
    this.waiting = [];
    try {
      const answers = await this.run(batch.map((waiting) => waiting.request));
      batch.forEach((waiting, i) => {
        waiting.resolve(answers[i] as Answer);
      });
    } catch (error) {
      for (const waiting of batch) waiting.reject(error);
    }
    this.busy = false;
    this.plan();
  }
}
