// accel/interp: the vCPU on a generated interpreter (interpreter-vcpu), which may be kept (interpreter-store).
export * from './interpreter-store.js';
export * from './interpreter-vcpu.js';
