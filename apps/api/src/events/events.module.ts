import { Module } from '@nestjs/common';
import { ALARM_STORE, NONCE_LOGGER, NonceEvents } from '@noncekit/nonce-core';
import type { AlarmStore, Logger } from '@noncekit/nonce-core';
import { AlarmRelay } from './alarm-relay';
import { EventLog } from './event-log';
import { EventStreams } from './event-streams';
import { EventsController } from './events.controller';

@Module({
  controllers: [EventsController],
  providers: [
    {
      provide: EventLog,
      inject: [NonceEvents],
      useFactory: (events: NonceEvents) => new EventLog(events),
    },
    {
      provide: EventStreams,
      inject: [EventLog],
      useFactory: (log: EventLog) => new EventStreams(log),
    },
    {
      provide: AlarmRelay,
      inject: [ALARM_STORE, EventLog, NONCE_LOGGER],
      useFactory: (store: AlarmStore, log: EventLog, logger: Logger) =>
        new AlarmRelay(store, log, logger),
    },
  ],
})
export class EventsModule {}
