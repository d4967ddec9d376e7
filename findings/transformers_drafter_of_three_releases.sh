#!/usr/bin/env bash
# In short: one configuration of a drafter builds in 5.22.2 and 5.24.0, and is refused by 5.23.0
#   in between
# Versions: transformers 5.22.2, 5.23.0 and 5.24.0 with torch 2.13.0
# Expected: a model whose configuration is published and supported keeps building in the next
#   minor release.
# Instead: a drafter that shares the keys and values of all its layers with the model it drafts
#   for (`num_kv_shared_layers` equal to `num_hidden_layers`) has no layer that makes its own.
#   5.23.0 checks that the kinds of layers that make a cache are those that use one, and raises
#   for it.
# Seen:
#   5.22.2 built
#   5.23.0 refused: The set of layer types producing a cache is different than the set of layer types using them
#   5.24.0 built
# Source: seen by running this on a drafter of two small layers; the check is `kv_sharing_modes`
#   of release 5.23.0.
# Matters: `transformers>=5.22` in a requirements file works today and tomorrow and fails for who
#   installed in the month between. A test that builds the drafter shows it, a test of the main
#   model does not.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'torch==2.13.0' 'numpy==2.4.6' 'transformers==5.22.2'
for release in 5.22.2 5.23.0 5.24.0; do
  venv/bin/pip install --quiet --disable-pip-version-check --no-deps --target "$release" "transformers==$release"
  PYTHONPATH=$release venv/bin/python - <<'PYTHON'
import sys

import transformers
from transformers import Gemma4UnifiedAssistantConfig, Gemma4UnifiedAssistantForCausalLM

text = {
    "model_type": "gemma4_unified_text", "vocab_size": 64, "hidden_size": 16, "intermediate_size": 32,
    "num_hidden_layers": 2, "num_kv_shared_layers": 2, "sliding_window": 8, "pad_token_id": 0,
    "layer_types": ["sliding_attention", "full_attention"], "num_attention_heads": 2,
    "num_key_value_heads": 1, "num_global_key_value_heads": 1, "head_dim": 8, "global_head_dim": 8,
}
config = Gemma4UnifiedAssistantConfig(text_config=text, backbone_hidden_size=16)
try:
    Gemma4UnifiedAssistantForCausalLM(config)
    outcome = "built"
except ValueError as error:
    outcome = f"refused: {error}"
print(transformers.__version__, outcome)
if outcome.startswith("built") == (transformers.__version__ == "5.23.0"):
    sys.exit(f"changed: transformers {transformers.__version__}")
PYTHON
done
