"""What Keras is asked to do, as a whole process: build a model, show its summary, draw it.

python -m bench.keras_jobs resnet50 out.svg
"""

from __future__ import annotations

import sys
from importlib import import_module

import keras
from keras.src.utils import model_visualization


def main(name: str, picture: str) -> None:
    model = getattr(import_module(f"bench.keras_{name}"), name)()
    model.summary()
    # Keras asks for PostScript to see if there is a Graphviz, and the wheel has none.
    model_visualization.check_graphviz = lambda: True
    keras.utils.plot_model(model, to_file=picture, show_shapes=True, dpi=None)


if __name__ == "__main__":
    main(*sys.argv[1:])
