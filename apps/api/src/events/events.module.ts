import { Module } from '@nestjs/common';
import { ALARM_STORE, NONCE_LOGGER, NonceEvents, TRANSITION_LOG } from '@noncekit/nonce-core';
import type { AlarmStore, Logger, TransitionLog } from '@noncekit/nonce-core';
import { AlarmSource } from './alarm-source';
import { EventLog } from './event-log';
import { EventRelay } from './event-relay';
import { EventStreams } from './event-streams';
import { EventsController } from './events.controller';
import { TransitionSource } from './transition-source';

type RelayParts = [AlarmStore, TransitionLog, EventLog, Logger];

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
      provide: EventRelay,
      inject: [ALARM_STORE, TRANSITION_LOG, EventLog, NONCE_LOGGER],
      useFactory: (...[alarms, transitions, log, logger]: RelayParts) =>
        new EventRelay([new AlarmSource(alarms), new TransitionSource(transitions)], log, logger),
    },
  ],
})
export class EventsModule {}
