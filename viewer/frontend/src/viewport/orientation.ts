import type { Turn } from "./turn.ts";

/** Letters of the patient's directions (PS3.3 C.7.6.1.1.1): x grows to the left, y to the back, z to the head. */
const AXES: [string, string][] = [
  ["R", "L"],
  ["A", "P"],
  ["F", "H"],
];
const LEAST = 0.3;

/** Letters at the top, right, bottom and left edge of the screen, largest part first, for Image Orientation (Patient). */
export function orientationLetters(orientation: readonly number[], turn: Turn): string[] {
  const right = orientation.slice(0, 3);
  const down = orientation.slice(3, 6);
  let edges = [opposite(down), right, down, opposite(right)];
  const quarter = ((((turn.rotation / 90) | 0) % 4) + 4) % 4;
  if (turn.flipHorizontal) edges = [edges[0], edges[3], edges[2], edges[1]] as number[][];
  if (turn.flipVertical) edges = [edges[2], edges[1], edges[0], edges[3]] as number[][];
  const turned = edges.map((_, index) => edges[(index - quarter + 4) % 4] as number[]);
  return turned.map(lettersOf);
}

function lettersOf(direction: readonly number[]): string {
  return direction
    .map((part, axis) => ({ size: Math.abs(part), letter: AXES[axis]?.[part > 0 ? 1 : 0] ?? "" }))
    .filter(({ size }) => size > LEAST)
    .sort((a, b) => b.size - a.size)
    .map(({ letter }) => letter)
    .join("");
}

function opposite(direction: readonly number[]): number[] {
  return direction.map((part) => -part);
}
