import { z } from 'zod';

/** A board of the catalogue, as the emulator's own declarations describe it. */
export const boardSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    description: z.string(),
    arch: z.string(),
    byteOrders: z.array(z.enum(['little', 'big'])),
    cpus: z.array(z.object({ id: z.string(), description: z.string() })),
    defaultCpu: z.string(),
    memory: z.object({ minBytes: z.number(), maxBytes: z.number(), defaultBytes: z.number() }),
    consoles: z.array(z.object({ name: z.string(), description: z.string() })),
    devices: z.array(
      z.object({
        name: z.string(),
        type: z.string(),
        description: z.string(),
        address: z.string().optional(),
        irq: z.string().optional(),
      }),
    ),
    drives: z.number().int().describe('How many drives the board takes'),
    defaultCmdline: z.string(),
    boot: z.string(),
    instructionsPerSecond: z.number().describe('Speed of the virtual clock'),
    selfTest: z.boolean().describe('Whether a self-test firmware comes with the board'),
  })
  .meta({ id: 'Board' });
export type Board = z.infer<typeof boardSchema>;
