"""Printed text in pictures by PP-OCRv6, as the package rapidocr carries it.

Measured on rendered pages: a longest side of 1,440 pixels reads more words right than 2,000, in two
thirds of the time and memory; the classifier of lines that stand on their head turned upright lines
over, and is left out.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from model.interface import Uint8

LONGEST_PX = 1_440
LEAST_SIDE_PX = 16
# The middle of a line that lies within this share of another's height is on the same line of text.
SAME_LINE = 0.5


class PrintedText:
    """The models in memory; about 0.6 GB while a page is read, 0.3 GB after it."""

    def __init__(self, threads: int) -> None:
        import rapidocr

        # Named by their files, the package looks for nothing, and so downloads nothing.
        models = Path(rapidocr.__file__).parent / "models"
        self._engine: Any = rapidocr.RapidOCR(
            params={
                "Global.log_level": "critical",
                "Global.use_cls": False,
                "Global.max_side_len": LONGEST_PX,
                "Det.model_path": str(models / "PP-OCRv6_det_small.onnx"),
                "Rec.model_path": str(models / "PP-OCRv6_rec_small.onnx"),
                "Rec.rec_batch_num": 1,
                "EngineConfig.onnxruntime.intra_op_num_threads": min(threads, os.cpu_count() or 1),
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            }
        )

    def of(self, pixels: Uint8) -> str:
        """The lines of text of a picture (height_px, width_px, 3), from the top; empty without."""
        if min(pixels.shape[:2]) < LEAST_SIDE_PX:
            return ""
        result = self._engine(pixels[:, :, ::-1])  # blue comes first
        if not result.txts:
            return ""
        lines = [
            (float(box[:, 1].min()), float(box[:, 1].max()), float(box[:, 0].min()), str(text))
            for box, text in zip(result.boxes, result.txts, strict=True)
        ]
        return "\n".join(_rows(lines))


def _rows(lines: list[tuple[float, float, float, str]]) -> list[str]:
    """What stands side by side as one line; each line is its top, bottom, left and text."""
    rows: list[list[tuple[float, float, float, str]]] = []
    for line in sorted(lines, key=lambda line: line[0] + line[1]):
        top, bottom = rows[-1][-1][:2] if rows else (0.0, 0.0)
        apart = abs(line[0] + line[1] - top - bottom) / 2
        if rows and apart < SAME_LINE * min(bottom - top, line[1] - line[0]):
            rows[-1].append(line)
        else:
            rows.append([line])
    return ["  ".join(line[3] for line in sorted(row, key=lambda line: line[2])) for row in rows]
