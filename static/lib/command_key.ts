/** Keys that are pressed with the command key, which is Ctrl but for Apple's keyboards. */

/** Where the command key stands for what is the control key elsewhere. */
export function isApple(): boolean {
  return /Mac|iPhone|iPad/.test(navigator.platform);
}

/**
 * Whether a letter is pressed with the command key alone.
 * @param letter a small one; on a keyboard with other letters, the key where it stands on an English one
 */
export function isCommand(event: KeyboardEvent, letter: string): boolean {
  const { altKey, shiftKey, ctrlKey, metaKey, key, code } = event;
  const isHeld = isApple() ? metaKey && !ctrlKey : ctrlKey && !metaKey;
  if (!isHeld || altKey || shiftKey) return false;
  return key.toLowerCase() === letter || !/^[a-z]$/i.test(key) && code === `Key${letter.toUpperCase()}`;
}
