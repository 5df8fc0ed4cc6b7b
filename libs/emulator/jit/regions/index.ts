// jit/regions: translation of hot code, in the order of the work.
// What can be done with an instruction (classify); control flow followed from an address (region), what is one access of two
// instructions (unaligned).
// Before the function is written (region-plan): the function's structure (region-graph), from where returns go (return-sites),
// order, dominators, loops and reducibility of graphs (flow-graph) and loops that got a head of their own (loop-splitting); what
// blocks do to registers (register-use), which are live (dataflow), where they are loaded (register-loads) and which loops keep
// them (keeping-loops); which accesses to check (checks, from what blocks do: access-steps, and what is certain to follow them:
// expected-accesses) or to look up (reuse), and which do not go where others do (straying).
// The function: where control goes (translate), and what a block's instructions do (translate-block), with registers
// (guest-registers) and accesses (guest-access); whether these go where they are expected to (direct-window, and window-checks:
// mirror-checks, segment-checks; for several rounds of a loop: rounds, rounds-entry); what is charged for them (budget), pages
// that control goes on to (page-checks), ways out (access-exits, region-exits) and how they find other translations
// (jump-cache-lookup, dispatch-lookup) or go on to exceptions (system-exits).
export * from './classify.js';
export * from './direct-window.js';
export * from './region.js';
export * from './system-exits.js';
export * from './translate.js';
