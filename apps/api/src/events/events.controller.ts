import { Controller, Get, Headers, Res } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { ApiProblems } from '../documents/api-documentation';
import { RequireScope } from '../http/scopes';
import { EventRelay } from './event-relay';
import { EventStreams } from './event-streams';

/** What happens, as it happens. */
@ApiTags('operations')
@Controller('v1/events')
export class EventsController {
  constructor(
    private readonly streams: EventStreams,
    private readonly relay: EventRelay,
  ) {}

  @Get()
  @RequireScope('nonce:read')
  @ApiOperation({
    operationId: 'streamEvents',
    summary: 'Events of this server, and alarms and transactions of all workers, as they happen',
    description:
      'Server-sent events. Each event has an id: a client that reconnects with `Last-Event-ID` is told what it missed, or `stream.reset` when that is not known here any more; then it reads the state anew.',
  })
  @ApiHeader({ name: 'Last-Event-ID', required: false })
  @ApiProduces('text/event-stream')
  @ApiOkResponse({ schema: { type: 'string' } })
  @ApiProblems()
  async stream(
    @Headers('last-event-id') lastId: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    this.streams.refuseTooMany();
    await this.relay.begin();
    reply.hijack();
    this.streams.stream(reply.raw, lastId ?? null);
  }
}
