// flash: parallel NOR flash.
export * from './intel-flash.js';
