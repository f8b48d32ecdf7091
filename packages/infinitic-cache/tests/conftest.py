import sys
from pathlib import Path

# Doubles shared by the test modules of this package; import-mode importlib adds no folder itself.
sys.path.insert(0, str(Path(__file__).parent))
