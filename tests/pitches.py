"""Sounds that carry their own second in their pitch, and the second that is heard in a sound."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from model.interface import Float32

if TYPE_CHECKING:
    from playwright.sync_api import Page

BEGIN_HZ, HZ_A_SECOND = 300.0, 20.0


def rising(seconds: float, rate_hz: int, loud: float = 0.3, from_s: float = 0.0) -> Float32:
    """A tone (n,) whose pitch says at which second it is."""
    t = from_s + np.arange(round(seconds * rate_hz)) / rate_hz
    phase = 2 * np.pi * (BEGIN_HZ * t + HZ_A_SECOND / 2 * t * t)
    return (loud * np.sin(phase)).astype(np.float32)


def second_heard(samples: Float32, rate_hz: int) -> float:
    """The second in the middle of samples (n,), about a fifth of a second of them."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(samples.size), 1 << 16))
    return (float(np.argmax(spectrum)) * rate_hz / (1 << 16) - BEGIN_HZ) / HZ_A_SECOND


# The first fifth of a second that is heard after a seek, and its rate.
HEAR = """async ([address, second]) => {
  const sound = new Audio(address);
  const context = new AudioContext();
  await context.resume();
  const source = context.createMediaElementSource(sound);
  const tap = context.createScriptProcessor(1024, 1, 1);
  const heard = [];
  tap.onaudioprocess = (event) => {
    const block = event.inputBuffer.getChannelData(0);
    if (heard.length || block.some((sample) => Math.abs(sample) > 0.02)) heard.push(...block);
  };
  const problem = new Promise((_, reject) => sound.onerror = () => reject(sound.error.message));
  const once = { once: true };
  const event = (name) =>
    Promise.race([problem, new Promise((resolve) => sound.addEventListener(name, resolve, once))]);
  const known = event("loadedmetadata");
  sound.load();
  await known;
  const sought = event("seeked");
  sound.currentTime = second;
  await sought;
  source.connect(tap);
  tap.connect(context.destination);
  await sound.play();
  const wanted = 0.3 * context.sampleRate;
  const end = performance.now() + 20000;
  while (heard.length < wanted && performance.now() < end)
    await new Promise((resolve) => setTimeout(resolve, 20));
  sound.pause();
  const rate = context.sampleRate;
  const duration = sound.duration;
  await context.close();
  return [heard.slice(0, wanted), rate, duration];
}"""


def second_played(page: Page, address: str, second: float) -> tuple[float, float]:
    """The second that a browser plays where it was asked for `second` of the sound at an address,
    and how long it takes the sound to be, in seconds."""
    heard, rate_hz, duration_s = page.evaluate(HEAR, [address, second])
    samples = np.array(heard, np.float32)
    return second_heard(samples, rate_hz) - samples.size / rate_hz / 2, float(duration_s)
