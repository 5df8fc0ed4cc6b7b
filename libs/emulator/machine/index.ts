// machine: puts a board and a CPU engine together. machine.ts is the running machine, a pure function of its inputs;
// run-machine.ts drives one in slices against the host's event loop and clock.
export * from './machine.js';
export * from './run-machine.js';
