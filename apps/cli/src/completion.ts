import type { Argument, Command, Option } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** The hidden command that the shells' functions call. */
export const COMPLETE_COMMAND = '__complete';
/** What stands for the names of files, which the shells complete better themselves. */
const FILES = ':files';

// Each function hands over the words before the cursor and the one it is in, and takes a line for each proposal.
const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `_bootlab() {
  local IFS=$'\\n' proposals
  proposals=$(bootlab ${COMPLETE_COMMAND} "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  if [[ $proposals == '${FILES}' ]]; then
    COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))
    compopt -o filenames
  else
    COMPREPLY=($(compgen -W "$proposals" -- "\${COMP_WORDS[COMP_CWORD]}"))
  fi
}
complete -F _bootlab bootlab
`,
  zsh: `#compdef bootlab
_bootlab() {
  local -a proposals
  proposals=("\${(@f)$(bootlab ${COMPLETE_COMMAND} "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ "$proposals" == '${FILES}' ]]; then
    _files
  else
    compadd -- $proposals
  fi
}
if [[ $funcstack[1] == _bootlab ]]; then
  _bootlab
else
  compdef _bootlab bootlab
fi
`,
  fish: `function __bootlab_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l proposals (bootlab ${COMPLETE_COMMAND} $words[2..] 2>/dev/null)
    if test "$proposals" = '${FILES}'
        __fish_complete_path (commandline -ct)
    else
        printf '%s\\n' $proposals
    end
end
complete -c bootlab -f -a '(__bootlab_complete)'
`,
};

/** A function for the shell, to be read by it. */
export const completionScript = (shell: Shell): string => SCRIPTS[shell];

/**
 * What could stand in place of the last word.
 * @param words all words after `bootlab`, the last one as far as it was typed
 * @returns one proposal each, or nothing but `:files` where a file name belongs
 */
export function proposalsFor(program: Command, words: readonly string[]): string[] {
  const before = words.slice(0, -1);
  const typed = words.at(-1) ?? '';
  let command = program;
  let position = 0;
  let pending: Option | undefined;
  for (const word of before) {
    if (pending) {
      pending = undefined;
      continue;
    }
    if (word === '--') return [FILES];
    if (word.startsWith('-')) {
      const option = command.options.find(({ long, short }) => word === long || word === short);
      if (option && (option.required || option.optional)) pending = option;
      continue;
    }
    const below = position === 0 ? command.commands.find((each) => each.name() === word) : undefined;
    if (below) command = below;
    else position++;
  }
  const matching = (all: readonly string[]): string[] => all.filter((each) => each.startsWith(typed));
  if (pending)
    return matching(pending.argChoices ?? []).length > 0 ? matching(pending.argChoices ?? []) : fileOrNothing(pending);
  if (typed.startsWith('-')) {
    const visible = command.createHelp().visibleOptions(command);
    return matching(visible.flatMap(({ long }) => long ?? []));
  }
  const commands = command.createHelp().visibleCommands(command);
  if (position === 0 && commands.length > 0) return matching(commands.map((each) => each.name()));
  const argument = argumentAt(command, position);
  if (!argument) return [];
  return argument.argChoices ? matching(argument.argChoices) : isFile(argument.name()) ? [FILES] : [];
}

function argumentAt({ registeredArguments }: Command, position: number): Argument | undefined {
  const last = registeredArguments.at(-1);
  return registeredArguments[position] ?? (last?.variadic ? last : undefined);
}

const fileOrNothing = ({ flags }: Option): string[] => (isFile(/<(\w+)>/.exec(flags)?.[1] ?? '') ? [FILES] : []);
const isFile = (name: string): boolean => /^(file|files|folder|root|program|sources)$/.test(name);
