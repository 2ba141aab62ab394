/** One flush worker under chaos; may see every event twice, and can stop itself between two steps. */
import { commands, report } from '../../support/child-messages';
import { StepGate, type HaltOrder } from '../chaos/step-gate';
import type { ChaosMessage } from '../chaos/recorder';
import { openFlush, type FlushSetting } from './open-performance';

export type FlushCommand =
  | { readonly kind: 'order'; readonly setting: FlushSetting }
  | { readonly kind: 'halt'; readonly halt: HaltOrder };

const gate = new StepGate(({ step }) => {
  report({ kind: 'halts', step } satisfies ChaosMessage);
});

async function main(): Promise<void> {
  for await (const command of commands<FlushCommand>()) {
    switch (command.kind) {
      case 'order':
        await openFlush(command.setting, gate);
        report({ kind: 'ready' } satisfies ChaosMessage);
        break;
      case 'halt':
        gate.arm(command.halt);
        break;
    }
  }
}

void main();
