"""Make a virtual environment with the pinned versions, torch in the build that fits the machine.

    python3 tools/setup_environment.py .venv

The environment is made anew each time. Needs Python 3.10 to 3.13 and a package registry.
"""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "constraints.txt"
OLDEST, NEWEST = (3, 10), (3, 13)


def main() -> None:
    """Make the environment in the folder that the command line names."""
    check_python()
    if len(sys.argv) != 2:
        sys.exit("usage: python3 tools/setup_environment.py FOLDER")
    folder = Path(sys.argv[1]).absolute()
    say(f"Making the environment {folder} with Python {sys.version.split()[0]}")
    if not run(sys.executable, "-m", "venv", "--clear", str(folder)):
        sys.exit("The environment could not be made: the reason stands above.")
    python = str(folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python"))
    install_torch(python)
    say("Installing flair_jointner, with the versions in constraints.txt")
    if not pip(python, "--editable", f"{ROOT}[dev]"):
        sys.exit("The installation failed: the reason stands above. The same command tries again.")
    say("The environment is ready")


def check_python() -> None:
    """Stop unless this Python is one that the package supports and can make an environment."""
    version = sys.version_info[:2]
    if not OLDEST <= version <= NEWEST:
        sys.exit(
            f"Python 3.10 to 3.13 is needed; {sys.executable} is Python {sys.version.split()[0]}.\n"
            "Name another one: make PYTHON=python3.11 test"
        )
    if importlib.util.find_spec("ensurepip") is None:
        sys.exit(
            f"{sys.executable} cannot make virtual environments: it has no 'ensurepip'.\n"
            f"On Debian and Ubuntu: apt-get install python{version[0]}.{version[1]}-venv"
        )


def install_torch(python: str) -> None:
    """Install the pinned torch: the CUDA build where there is a GPU, else the CPU build."""
    torch = next(line for line in CONSTRAINTS.read_text().split() if line.startswith("torch=="))
    if sys.platform != "linux":
        say(f"Installing {torch}, the registry's build for {sys.platform}")
        installed = pip(python, torch)
    elif has_gpu():
        say(f"nvidia-smi finds a GPU: installing {torch}, the registry's build with CUDA")
        installed = pip(python, torch)
    else:
        installed = install_cpu_torch(python, torch)
    if not installed:
        sys.exit(f"{torch} could not be installed: the reason stands above.")


def install_cpu_torch(python: str, torch: str) -> bool:
    """Install the CPU build that pip is offered, else uv's, else the plain build."""
    say(f"No GPU found: installing {torch}, the CPU build")
    if pip(python, f"{torch}+cpu"):
        return True
    say("pip is offered no CPU build of torch: trying with uv, which knows where it lies")
    uv = (python, "-m", "uv", "pip", "install", "--python", python, "--torch-backend=cpu")
    if pip(python, "uv") and run(*uv, "--constraint", str(CONSTRAINTS), torch):
        return True
    say("uv found none either: installing the CUDA build, larger by gigabytes, fit for a CPU too")
    return pip(python, torch)


def has_gpu() -> bool:
    """Tell whether `nvidia-smi` is there and works."""
    if shutil.which("nvidia-smi") is None:
        return False
    return subprocess.run(["nvidia-smi"], capture_output=True).returncode == 0


def pip(python: str, *requirements: str) -> bool:
    """Install with pip under the constraints; tell whether it worked."""
    return run(python, "-m", "pip", "install", "--constraint", str(CONSTRAINTS), *requirements)


def run(*command: str) -> bool:
    """Run a command with its output shown; tell whether it worked."""
    return subprocess.run(command).returncode == 0


def say(text: str) -> None:
    """Print a step ahead of the output of the commands in it."""
    print(f"==> {text}", flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nInterrupted: nothing is lost, the same command starts the installation anew.")
