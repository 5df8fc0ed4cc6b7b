import { z } from 'zod';
import { searchField } from './spec/fields.js';

export const newBadgeSchema = z
  .strictObject({
    label: searchField(60).pipe(z.string().trim().min(1)).default('boot').describe('What stands on the left'),
    jobName: searchField(200).optional().describe('Only jobs of exactly this name'),
    board: searchField(100).optional().describe('Only jobs on this board'),
  })
  .meta({ id: 'NewBadge' });
export type NewBadge = z.output<typeof newBadgeSchema>;

/** A picture of how the newest job ended, for everybody who has its address. */
export const badgeSchema = z
  .object({
    id: z.string(),
    label: z.string(),
    jobName: z.string().nullable(),
    board: z.string().nullable(),
    path: z.string().describe('Of the SVG, on this lab. Whoever knows it sees the outcome, and nothing else'),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'Badge' });
export type Badge = z.infer<typeof badgeSchema>;
