"""`python -m training.demonstration [FOLDER]` writes the demonstration library again."""

import sys
from pathlib import Path

from training.demonstration.library import SHIPPED, write

if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else SHIPPED
    size_bytes = write(folder)
    print(f"{folder}: {size_bytes / 2**20:.2f} MiB")
