/** How the picture is turned on screen; flips come before the rotation. */
export interface Turn {
  /** Degrees clockwise: 0, 90, 180 or 270. */
  rotation: number;
  flipHorizontal: boolean;
  flipVertical: boolean;
}

export const UPRIGHT: Turn = { rotation: 0, flipHorizontal: false, flipVertical: false };
