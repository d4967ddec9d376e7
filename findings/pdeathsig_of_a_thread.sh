#!/usr/bin/env bash
# In short: "kill this child when its parent dies" kills it when the thread that started it ends
# Versions: Linux 6.18, Python 3.11.7 (ctypes, subprocess)
# Expected: PR_SET_PDEATHSIG sends the signal when the parent process is gone, as its manual says
#   in the first sentence.
# Instead: "parent" is the thread that called fork. A child started from a worker thread is killed
#   as soon as that thread returns, while the process lives on. Thread pools end idle threads, web
#   frameworks run handlers in them.
# Seen:
#   child of the main thread: runs
#   child of the worker thread: ended by signal 15
# Source: man 2 PR_SET_PDEATHSIG, section "Caveats"; seen by running this.
# Matters: a reading process that serves a whole session is started by the first request and dies
#   after it, with SIGKILL and without a message. A pipe whose other end closes with the process
#   has no such trap.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 - <<'PYTHON'
import ctypes
import signal
import subprocess
import sys
import threading
import time

if sys.platform != "linux":
    raise SystemExit("This finding is about prctl and needs Linux.")
PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)
children = {}


def start(name):
    children[name] = subprocess.Popen(
        ["sleep", "20"], preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    )


start("main thread")
worker = threading.Thread(target=start, args=("worker thread",))
worker.start()
worker.join()
time.sleep(1)
states = {name: child.poll() for name, child in children.items()}
children["main thread"].kill()
children["main thread"].wait()
for name, state in states.items():
    print(f"child of the {name}:", "runs" if state is None else f"ended by signal {-state}")
if states != {"main thread": None, "worker thread": -signal.SIGTERM}:
    raise SystemExit(f"changed: {states}")
PYTHON
