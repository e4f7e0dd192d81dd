/** Which rooms somebody means who types a part of a name. */
import { begins, fold, wordsOf } from "../composer/matching.ts";
import { displayName } from "../lib/room_name.ts";

/**
 * The rooms whose words begin with the words that are typed, in any order: first those whose name begins so. Without a
 * word they are all there, as they come.
 */
export function findRooms<Room extends { room: string }>(typed: string, rooms: readonly Room[]): Room[] {
  const wanted = wordsOf(fold(typed));
  const ranked = rooms.map((room) => ({ room, rank: rankOf(fold(displayName(room.room).name), wanted) }));
  return ranked.filter(({ rank }) => rank < Infinity).sort((one, other) => one.rank - other.rank).map(({ room }) =>
    room
  );
}

function rankOf(name: string, wanted: readonly string[]): number {
  const words = wordsOf(name);
  const isMeant = wanted.every((part) => words.some((word) => begins(word, part)));
  if (!isMeant) return Infinity;
  return wanted.length === 0 || begins(words[0], wanted[0]) ? 0 : 1;
}
