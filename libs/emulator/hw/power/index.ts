// hw/power: switching off, reset, power-management events.
export * from './piix4-pm.js';
export * from './reset-control.js';
