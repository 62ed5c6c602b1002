"""How much memory a training step takes at its peak, beside what was there before.

On the CPU that is read off Linux, on a GPU it is what torch has allocated.
"""

import subprocess
import sys
from pathlib import Path

import flair
import torch
from setting import flair_tagger, made_up, our_tagger

SIDES = {"Flair": flair_tagger, "ours": our_tagger}


def training_memory(tags: int, batch_size: int) -> dict[str, float]:
    """Peak of three training steps, in MiB, by side.

    Each side runs in a process of its own, because the peak of a process never falls.
    """
    peaks = {}
    for side in SIDES:
        command = [sys.executable, __file__, side, str(tags), str(batch_size), str(flair.device)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        peaks[side] = float(done.stdout.split()[-1])
    return peaks


def _train(side: str, tags: int, batch_size: int) -> float:
    material = made_up(tags, count=3 * batch_size)
    tagger = SIDES[side](material)
    tagger.train()
    before = _start_peak()
    for start in range(0, 3 * batch_size, batch_size):
        tagger.forward_loss(material.train[start : start + batch_size])[0].backward()
    return _peak() - before


def _start_peak() -> float:
    """Lets the peak start anew, and says what memory is taken already, in MiB."""
    if flair.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
        return torch.cuda.memory_allocated() / 2**20
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    return _memory("VmRSS")


def _peak() -> float:
    if flair.device.type == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    return _memory("VmHWM")


def _memory(name: str) -> float:
    """A line of what Linux says of this process, in MiB."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith(name))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    torch.set_num_threads(1)
    flair.device = torch.device(sys.argv[4])
    print(_train(sys.argv[1], *map(int, sys.argv[2:4])))
