import { Inject } from '@nestjs/common';
import type { Allocation } from '../domain/allocation';
import type { SubmitterInput } from '../domain/submitter';
import type { SubmitterView } from '../domain/submitter-view';
import type { NonceExecution, NonceHandler, WithNonceOptions } from '../template/with-nonce';
import { NonceComponent, type AllocateOptions, type SubmitSteps } from './nonce-component';

export interface NamedSubmitter {
  readonly name: string;
  readonly submitter: SubmitterInput;
  /** Window of this submitter when it differs from its chain's; 0 = no limit. */
  readonly maxInFlight?: number;
}

/** The component bound to one submitter. */
export class SubmitterNonces {
  constructor(
    private readonly component: NonceComponent,
    readonly submitter: SubmitterInput,
  ) {}

  withNonce<T>(handler: NonceHandler<T>, options?: WithNonceOptions): Promise<T> {
    return this.component.withNonce(this.submitter, handler, options);
  }

  execute<T>(handler: NonceHandler<T>, options?: WithNonceOptions): Promise<NonceExecution<T>> {
    return this.component.execute(this.submitter, handler, options);
  }

  submit<T>(steps: SubmitSteps<T>, options?: Omit<WithNonceOptions, 'exposure'>): Promise<T> {
    return this.component.submit(this.submitter, steps, options);
  }

  allocate(options?: AllocateOptions): Promise<Allocation[]> {
    return this.component.allocate(this.submitter, options);
  }

  inspect(): Promise<SubmitterView> {
    return this.component.inspect(this.submitter);
  }
}

/** The token of a name. Each module has providers of its own behind it. */
export function submitterToken(name: string): symbol {
  return Symbol.for(`noncekit submitter ${name}`);
}

/** Injects the {@link NonceComponent}. */
export const InjectNonce = (): ReturnType<typeof Inject> => Inject(NonceComponent);

/** Injects the {@link SubmitterNonces} that `NonceModule.forFeature` registered under this name. */
export const InjectSubmitter = (name: string): ReturnType<typeof Inject> =>
  Inject(submitterToken(name));
