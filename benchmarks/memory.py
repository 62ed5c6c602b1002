"""How much memory a training step takes at its peak, beside what was there before (on Linux)."""

import subprocess
import sys
from pathlib import Path

import torch
from setting import flair_tagger, made_up, our_tagger

SIDES = {"Flair": flair_tagger, "ours": our_tagger}


def training_memory(tags: int) -> dict[str, float]:
    """Peak of three training steps of 32 sentences, in MiB, by side.

    Each side runs in a process of its own, because the peak of a process never falls.
    """
    peaks = {}
    for side in SIDES:
        command = [sys.executable, __file__, side, str(tags)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        peaks[side] = float(done.stdout.split()[-1])
    return peaks


def _train(side: str, tags: int) -> float:
    material = made_up(tags, count=96)
    tagger = SIDES[side](material)
    tagger.train()
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # the peak starts anew
    before = _memory("VmRSS")
    for start in range(0, 96, 32):
        tagger.forward_loss(material.train[start : start + 32])[0].backward()
    return _memory("VmHWM") - before


def _memory(name: str) -> float:
    """A line of what Linux says of this process, in MiB."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith(name))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(_train(sys.argv[1], int(sys.argv[2])))
