import { z } from 'zod';

/**
 * How a job ended. `fail` is the guest's doing; `infra` is the lab's and says nothing about the guest; `timeout` is
 * virtual time used up; `cancelled` is a person's doing.
 */
export const outcomeSchema = z.enum(['pass', 'fail', 'timeout', 'infra', 'cancelled']).meta({ id: 'Outcome' });
export type Outcome = z.infer<typeof outcomeSchema>;
