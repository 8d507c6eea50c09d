"""ResNet-50 as a functional Keras model, layer by layer as specs/resnet50.yaml has it."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers


def resnet50(classes: int = 1000) -> Any:
    image = keras.Input((224, 224, 3))
    x = _normalized(image, 64, 7, 2)
    x = layers.ReLU()(x)
    x = layers.MaxPooling2D(3, 2, padding="same")(x)
    for stage, depth in enumerate([3, 4, 6, 3]):
        for block in range(depth):
            stride = 2 if stage and block == 0 else 1
            x = _bottleneck(x, 64 * 2**stage, stride, block == 0)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, layers.Dense(classes)(x))


def _bottleneck(x: Any, planes: int, stride: int, project: bool) -> Any:
    y = layers.ReLU()(_normalized(x, planes, 1, 1))
    y = layers.ReLU()(_normalized(y, planes, 3, stride))
    y = _normalized(y, 4 * planes, 1, 1)
    short = _normalized(x, 4 * planes, 1, stride) if project else x
    return layers.ReLU()(layers.Add()([y, short]))


def _normalized(x: Any, channels: int, kernel: int, stride: int) -> Any:
    y = layers.Conv2D(channels, kernel, stride, padding="same", use_bias=False)(x)
    return layers.BatchNormalization()(y)
