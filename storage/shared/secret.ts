import { dirname } from "node:path";

/** Bytes of a new secret: as many as the hash of HS256 has. More would not make it stronger. */
const SECRET_BYTES = 32;

/**
 * The secret in this file. If there is no file, it is made, readable by its owner only. Processes that start at the
 * same time get the same secret.
 * @throws if the file can be neither read nor made, or is empty
 */
export async function secretFile(path: string): Promise<string> {
  try {
    return await read(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  await Deno.mkdir(dirname(path), { recursive: true });
  const made = `${path}.${crypto.randomUUID()}`;
  await Deno.writeTextFile(made, `${newSecret()}\n`, { mode: 0o600, createNew: true });
  try {
    // A link appears with its whole content or not at all, and only if nobody else was first.
    await Deno.link(made, path);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  } finally {
    await Deno.remove(made);
  }
  return await read(path);
}

export function newSecret(): string {
  return crypto.getRandomValues(new Uint8Array(SECRET_BYTES)).toBase64();
}

async function read(path: string): Promise<string> {
  // A backup that was put back may be readable by others. On Windows there is no mode.
  const { mode } = await Deno.stat(path);
  if (mode !== null && (mode & 0o077) !== 0) await Deno.chmod(path, 0o600);
  const secret = (await Deno.readTextFile(path)).trim();
  if (secret === "") throw new Error(`${path} is empty: delete it, or set SECRET`);
  return secret;
}
