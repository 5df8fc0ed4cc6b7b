// debug: looking into a running guest: names of its functions (symbols), where it spends its instructions (profile).
export * from './profile.js';
export * from './symbols.js';
