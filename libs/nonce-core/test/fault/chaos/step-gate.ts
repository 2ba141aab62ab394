/** Where a process is to be stopped: at the `visit`th time it comes to this step. */
export interface HaltOrder {
  /** `<port>.<method>:before` or `:after`, for example `epochs.refill:after`. */
  readonly step: string;
  readonly visit: number;
  readonly signal: 'SIGKILL' | 'SIGSTOP';
}

export type OnHalt = (order: HaltOrder) => void;

/**
 * Stops its own process between two steps of the protocol: right before a call to a store leaves
 * it, or right after the answer came and before anything follows from it.
 */
export class StepGate {
  private order: HaltOrder | null = null;
  private visits = 0;

  constructor(private readonly onHalt: OnHalt) {}

  arm(order: HaltOrder): void {
    this.order = order;
    this.visits = 0;
  }

  /** The same port, with a gate before and after each of its methods. */
  through<Port extends object>(name: string, port: Port): Port {
    return new Proxy(port, {
      get: (target, method) => {
        const found: unknown = Reflect.get(target, method, target);
        if (typeof found !== 'function' || typeof method !== 'string') return found;
        return (...parameters: unknown[]): unknown => {
          this.pass(`${name}.${method}:before`);
          const answer: unknown = Reflect.apply(found, target, parameters);
          if (!(answer instanceof Promise)) return answer;
          return answer.finally(() => {
            this.pass(`${name}.${method}:after`);
          });
        };
      },
    });
  }

  private pass(step: string): void {
    const { order } = this;
    if (order === null || order.step !== step) return;
    this.visits += 1;
    if (this.visits < order.visit) return;
    this.order = null;
    this.onHalt(order);
    process.kill(process.pid, order.signal);
  }
}
