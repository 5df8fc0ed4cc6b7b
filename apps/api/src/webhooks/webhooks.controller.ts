import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import {
  changeWebhookSchema,
  deliveryPageSchema,
  deliveryQuerySchema,
  madeWebhookSchema,
  newWebhookSchema,
  webhookDeliverySchema,
  webhookSchema,
  type DeliveryPage,
  type MadeWebhook,
  type NewWebhook,
  type Webhook,
  type WebhookDelivery,
} from '@bootlab/lab';
import type { Principal } from '@bootlab/lab/server';
import { z } from 'zod';
import { CurrentPrincipal, Needs } from '../auth/access.js';
import { ApiController, ApiJsonBody, ApiProject } from '../people/documentation.js';
import { WebhooksService } from './webhooks.service.js';

@ApiController('webhooks')
@ApiProject()
@Controller('api/v1/webhooks')
@Needs('maintain')
export class WebhooksController {
  constructor(private readonly webhooks: WebhooksService) {}

  @Get()
  @ApiOperation({ summary: 'Webhooks of the project, newest first' })
  @ApiOkResponse({ standardSchema: z.object({ items: z.array(webhookSchema) }) })
  async list(@CurrentPrincipal() principal: Principal): Promise<{ items: Webhook[] }> {
    return { items: await this.webhooks.list(principal) };
  }

  @Post()
  @ApiOperation({ summary: 'Have messages sent about jobs; the answer shows the key of their signatures this once' })
  @ApiJsonBody(newWebhookSchema)
  @ApiCreatedResponse({ standardSchema: madeWebhookSchema })
  create(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: newWebhookSchema }) webhook: NewWebhook,
  ): Promise<MadeWebhook> {
    return this.webhooks.create(principal, webhook);
  }

  @Patch(':id')
  @ApiOperation({ summary: 'Switch a webhook on or off' })
  @ApiJsonBody(changeWebhookSchema)
  @ApiOkResponse({ standardSchema: webhookSchema })
  change(
    @CurrentPrincipal() principal: Principal,
    @Param('id') id: string,
    @Body({ schema: changeWebhookSchema }) { active }: z.output<typeof changeWebhookSchema>,
  ): Promise<Webhook> {
    return this.webhooks.setActive(principal, id, active);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Remove a webhook and the log of what it was sent' })
  @ApiNoContentResponse()
  remove(@CurrentPrincipal() principal: Principal, @Param('id') id: string): Promise<void> {
    return this.webhooks.remove(principal, id);
  }

  @Get(':id/deliveries')
  @ApiOperation({ summary: 'What a webhook was sent, newest first' })
  @ApiOkResponse({ standardSchema: deliveryPageSchema })
  deliveries(
    @CurrentPrincipal() principal: Principal,
    @Param('id') id: string,
    @Query({ schema: deliveryQuerySchema }) query: z.output<typeof deliveryQuerySchema>,
  ): Promise<DeliveryPage> {
    return this.webhooks.deliveries(principal, id, query);
  }

  @Post(':id/ping')
  @ApiOperation({ summary: 'Send a message that says nothing but that messages arrive' })
  @ApiCreatedResponse({ standardSchema: webhookDeliverySchema })
  ping(@CurrentPrincipal() principal: Principal, @Param('id') id: string): Promise<WebhookDelivery> {
    return this.webhooks.ping(principal, id);
  }

  @Post(':id/deliveries/:delivery/repeat')
  @ApiOperation({ summary: 'Send a message once more' })
  @ApiCreatedResponse({ standardSchema: webhookDeliverySchema })
  repeat(
    @CurrentPrincipal() principal: Principal,
    @Param('id') id: string,
    @Param('delivery') delivery: string,
  ): Promise<WebhookDelivery> {
    return this.webhooks.repeat(principal, id, delivery);
  }
}
