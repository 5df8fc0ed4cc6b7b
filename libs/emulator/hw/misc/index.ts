// misc: parts that exist on one board only.
export * from './malta-fpga.js';
