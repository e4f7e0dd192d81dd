/** Hertz, and seconds from the beginning: a fourth up, as of a small bell. */
const NOTES = [[659.26, 0], [880, 0.11]] as const;
/** Seconds until a note has died away. */
const LENGTH = 0.26;
/** Of 1, which is as loud as the device can: softer than speech. */
const VOLUME = 0.06;

/**
 * A soft sound of two notes. It is made here, so no file has to be loaded. Browsers are silent until someone has
 * clicked or typed in the page.
 */
export function createChime(): () => Promise<void> {
  let context: AudioContext | null = null;
  return async () => {
    if (navigator.userActivation?.hasBeenActive === false) return;
    const audio = context ??= new AudioContext();
    await audio.resume();
    const notes = NOTES.map(([frequency, after]) => note(audio, frequency, audio.currentTime + after));
    notes.at(-1)!.onended = () => audio.suspend(); // lets a phone's loudspeaker sleep
  };
}

function note(audio: AudioContext, frequency: number, start: number): OscillatorNode {
  const volume = new GainNode(audio, { gain: 0 });
  volume.gain.setValueAtTime(0, start);
  volume.gain.linearRampToValueAtTime(VOLUME, start + 0.015); // at once, it would click
  volume.gain.exponentialRampToValueAtTime(0.0001, start + LENGTH);
  const oscillator = new OscillatorNode(audio, { frequency, type: "sine" });
  oscillator.connect(volume).connect(audio.destination);
  oscillator.start(start);
  oscillator.stop(start + LENGTH);
  return oscillator;
}
