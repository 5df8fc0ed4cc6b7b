import { InvalidArgumentError } from 'commander';

/** How many lines of a list. */
export const count = (text: string): number => {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 200) return value;
  throw new InvalidArgumentError('Write a number from 1 to 200.');
};
