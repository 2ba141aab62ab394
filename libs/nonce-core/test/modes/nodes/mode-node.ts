/**
 * One process of a host with the whole module. It reports what it sees of the mode and issues on
 * order; told to switch, it can kill itself where a phase of its own switch begins.
 */
import { Redis } from 'ioredis';
import type { EngineMode } from '../../../src/domain/engine-mode';
import { NonceEvents } from '../../../src/module/nonce-events';
import type { SwitchPhase } from '../../../src/ports/mode-store.port';
import { commands, report } from '../../support/child-messages';
import { openModeHost } from '../mode-host';

export interface ModeNodeSetting {
  readonly databaseUrl: string;
  readonly schema: string;
  readonly redisUrl: string;
  readonly keyPrefix: string;
  readonly mode: 'RELIABLE' | 'PERFORMANCE';
}

export type ModeNodeCommand =
  | { readonly kind: 'allocate'; readonly submitter: string }
  | { readonly kind: 'switch'; readonly to: EngineMode; readonly dieAt: SwitchPhase };

export type ModeNodeMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'prefetch'; readonly size: number | null }
  | { readonly kind: 'allocated'; readonly nonce: number; readonly engine: string }
  | { readonly kind: 'dies'; readonly phase: SwitchPhase };

async function main(): Promise<void> {
  const setting = JSON.parse(process.argv[2] ?? '') as ModeNodeSetting;
  const { databaseUrl: url, schema, keyPrefix: prefix, mode } = setting;
  const client = new Redis(setting.redisUrl, { lazyConnect: true });
  const host = await openModeHost({ url, schema }, { client, prefix }, { mode });
  const tell = (message: ModeNodeMessage): void => {
    report(message);
  };
  host.mode.onChange(({ prefetch }) => {
    tell({ kind: 'prefetch', size: prefetch?.size ?? null });
  });
  tell({ kind: 'ready' });
  for await (const command of commands<ModeNodeCommand>()) {
    if (command.kind === 'allocate') {
      const [made] = await host.nonces.allocate(command.submitter);
      if (made === undefined) throw new Error('no allocation');
      tell({ kind: 'allocated', nonce: made.nonce, engine: made.engine });
    } else {
      host.app.get(NonceEvents).on('mode.phase', ({ phase }) => {
        if (phase !== command.dieAt) return;
        tell({ kind: 'dies', phase });
        process.kill(process.pid, 'SIGKILL');
      });
      await host.switchTo(command.to);
    }
  }
  await host.close();
  client.disconnect();
}

void main();
