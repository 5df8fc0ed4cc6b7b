// hw/timer: interval timers and real-time clocks.
export * from './i8254.js';
export * from './mc146818.js';
