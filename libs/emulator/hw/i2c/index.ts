// i2c: chips (eeprom.ts with spd.ts for its contents), the bus at the level of bytes (i2c-target.ts) and of wires
// (i2c-wires.ts), host controllers.
export * from './eeprom.js';
export * from './i2c-target.js';
export * from './i2c-wires.js';
export * from './piix4-smbus.js';
export * from './spd.js';
