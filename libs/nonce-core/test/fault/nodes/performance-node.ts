/**
 * One node of the performance engine under chaos. Reports every fact the moment it is one, and can
 * be told to stop itself between any two steps of the protocol.
 */
import { commands, report } from '../../support/child-messages';
import { ChaosLoad, type LoadPlan } from '../chaos/chaos-load';
import { Recorder, type ChaosMessage } from '../chaos/recorder';
import { StepGate, type HaltOrder } from '../chaos/step-gate';
import { openPerformance, type PerformanceSetting } from './open-performance';

export interface PerformanceOrder {
  readonly name: string;
  readonly setting: PerformanceSetting;
  readonly plan: LoadPlan;
}

export type PerformanceCommand =
  | { readonly kind: 'order'; readonly order: PerformanceOrder }
  | { readonly kind: 'run' | 'sweep' | 'finish' }
  | { readonly kind: 'halt'; readonly halt: HaltOrder };

const gate = new StepGate(({ step }) => {
  report({ kind: 'halts', step } satisfies ChaosMessage);
});

async function main(): Promise<void> {
  let load: ChaosLoad | undefined;
  let running: Promise<void> | undefined;
  for await (const command of commands<PerformanceCommand>()) {
    switch (command.kind) {
      case 'order': {
        const { name, setting, plan } = command.order;
        const engine = await openPerformance(setting, gate);
        load = new ChaosLoad(plan, engine, new Recorder(name));
        report({ kind: 'ready' } satisfies ChaosMessage);
        break;
      }
      case 'halt':
        gate.arm(command.halt);
        break;
      case 'run':
        running = load?.run();
        break;
      case 'sweep':
        running = load?.sweep();
        break;
      case 'finish':
        load?.finish();
        await running;
        report({ kind: 'finished' } satisfies ChaosMessage);
        break;
    }
  }
}

void main();
