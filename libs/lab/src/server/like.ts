/** Text for LIKE that stands for itself alone: Prisma passes LIKE's wildcards through. */
export const escapeLike = (text: string): string => text.replace(/[\\%_]/g, '\\$&');
