import { Module } from '@nestjs/common';
import {
  MIRROR_REPORT,
  MODE_SOURCE,
  MODE_STORE,
  MODE_SWITCHING,
  NONCE_OPTIONS,
  NonceHealthIndicator,
  type MirrorReport,
  type ModeSource,
  type ModeStore,
  type ModeSwitching,
  type ResolvedNonceOptions,
} from '@noncekit/nonce-core';
import { ModeActions } from './mode-actions';
import { ModesController } from './modes.controller';
import { OverviewReader } from './overview-reader';
import { OverviewController } from './overview.controller';
import { PrefetchActions } from './prefetch-actions';
import { PrefetchController } from './prefetch.controller';

@Module({
  controllers: [ModesController, PrefetchController, OverviewController],
  providers: [
    {
      provide: ModeActions,
      inject: [MODE_SWITCHING],
      useFactory: (switching: ModeSwitching) => new ModeActions(switching),
    },
    {
      provide: PrefetchActions,
      inject: [MODE_STORE, MODE_SOURCE, NONCE_OPTIONS],
      useFactory: (store: ModeStore, view: ModeSource, options: ResolvedNonceOptions) =>
        new PrefetchActions(store, view, options.performance.prefetch),
    },
    {
      provide: OverviewReader,
      inject: [MODE_SWITCHING, NonceHealthIndicator, MIRROR_REPORT],
      useFactory: (
        switching: ModeSwitching,
        health: NonceHealthIndicator,
        mirror: MirrorReport | null,
      ) => new OverviewReader(switching, health, mirror),
    },
  ],
})
export class ModesModule {}
