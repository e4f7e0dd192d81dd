/** What can be written instead of a message. */

export const COMMANDS = ["nick", "me", "room", "mute", "search", "help"] as const;
export type CommandName = typeof COMMANDS[number];

/** What an entered text is. */
export type Entered =
  | { readonly kind: "message"; readonly text: string }
  | { readonly kind: "command"; readonly name: Exclude<CommandName, "me">; readonly argument: string }
  /** A word with a slash that is no command. */
  | { readonly kind: "unknown"; readonly word: string };

/** One word with a slash, or with two, as one writes it to send it as it is. */
const WORD = /^(\/{1,2})([\p{L}\p{N}_-]+)(?:\s+([^]*))?$/u;

/**
 * What someone has entered. `/me` is a message, which is shown in its own way. A word with another slash in it, like
 * `/etc/hosts`, is text, and `//word` is the text `/word`.
 */
export function readEntered(text: string): Entered {
  const [, slashes, word, argument = ""] = WORD.exec(text) ?? [];
  const name = COMMANDS.find((command) => command === word?.toLowerCase());
  if (slashes === undefined || name === "me") return { kind: "message", text };
  if (slashes === "//") return { kind: "message", text: text.slice(1) };
  return name ? { kind: "command", name, argument: argument.trim() } : { kind: "unknown", word };
}

/** The commands that begin with what is typed. */
export function matchingCommands(typed: string): CommandName[] {
  return COMMANDS.filter((command) => command.startsWith(typed.toLowerCase()));
}
