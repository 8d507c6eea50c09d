"""Networks that are trained against one another: whose turn it is, how they are judged, and what does not fit."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import torch
from matplotlib.image import imread

from compiler import SpecError, compile_spec
from compiler.tasks.kinds.adversarial import Adversarial
from runtime.engine.build_optimizer import build_optimizer
from runtime.load import build_networks
from runtime.tasks.adversarial import AdversarialLearner
from tests.runtime.tasks.adversaries import (
    NO_LABELS,
    adversary,
    batch,
    program,
    same,
    stripes,
    train,
    weights,
)

# Turns.


@pytest.mark.parametrize(
    ("mine", "yours"), [("discriminator", "generator"), ("generator", "discriminator")]
)
def test_a_step_updates_one_network_only(tmp_path: Path, mine: str, yours: str) -> None:
    learner = adversary(tmp_path)
    before = {name: weights(net) for name, net in learner.networks.items()}
    config = next(
        config for config in learner.configure_optimizers() if config.network == mine
    )
    optimizer = build_optimizer(
        config.optimizer, mine, learner.networks[mine], learner.task
    )
    torch.autograd.backward(learner.loss(mine, batch(), 0.0))
    optimizer.step()
    assert same(before[yours], weights(learner.networks[yours]))
    assert not same(before[mine], weights(learner.networks[mine]))


def test_the_discriminators_loss_has_no_gradient_in_the_generator(
    tmp_path: Path,
) -> None:
    learner = adversary(tmp_path)
    torch.autograd.backward(learner.loss("discriminator", batch(), 0.0))
    assert all(one.grad is None for one in learner.networks["generator"].parameters())


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("", ["dg", "dg", "dg", "dg"]),
        ("discriminator: {steps: 3}", ["d", "d", "dg", "d"]),
        ("generator: {steps: 2}", ["dg", "g", "dg", "g"]),
        ("generator: {steps: 2}\ndiscriminator: {steps: 3}", ["d", "dg", "dg", "d"]),
    ],
)
def test_networks_are_updated_by_their_steps(
    tmp_path: Path, steps: str, expected: list[str]
) -> None:
    learner = adversary(tmp_path, steps)
    assert [
        "".join(name[0] for name in learner.networks_to_update(step))
        for step in range(4)
    ] == expected


def test_each_network_has_its_own_optimizer_schedule_and_clip(tmp_path: Path) -> None:
    own = """clip: 5.0
generator: {clip: 2.0, optimizer: {sgd: {lr: 0.5}}}
discriminator: {schedule: {cosine: {warmup: 7}}}"""
    configs = {
        config.network: config
        for config in adversary(tmp_path, own).configure_optimizers()
    }
    assert list(configs) == ["discriminator", "generator"]
    assert (configs["generator"].clip, configs["discriminator"].clip) == (2.0, 5.0)
    names = configs["generator"].optimizer.name, configs["discriminator"].optimizer.name
    assert names == ("sgd", "adamw")
    assert configs["discriminator"].schedule.name == "cosine"
    assert configs["generator"].schedule.name != "cosine"


# Judging.


def test_training_converges_on_stripes(tmp_path: Path) -> None:
    data = stripes()
    task = "optimizer: {adam: {lr: 3e-3, betas: [0.5, 0.99]}}\ngradient_penalty: 0.1\nsamples: 9\naverage: 0.9"
    learner = adversary(tmp_path, task)
    state = torch.get_rng_state()
    learner.setup(data)
    assert torch.equal(state, torch.get_rng_state())
    held_out = [data.held_out.__getitems__(list(range(64)))]
    found = []
    for steps in (0, 300):
        torch.manual_seed(0)
        train(learner, data, steps)
        for net in learner.networks.values():
            net.eval()
        with torch.no_grad():
            found.append(learner.evaluate(held_out, final=True))
        for net in learner.networks.values():
            net.train()
    assert found[1]["frechet"] < found[0]["frechet"] / 4
    assert found[1]["judge.accuracy"] == 1 and found[1]["classes"] == 2
    assert found[1]["confident"] > 0.8 and 0.4 < found[1]["entropy"] < 0.6932
    assert {"generator.loss", "discriminator.loss"} <= found[1].keys()


def test_held_out_losses_are_means_without_the_penalty(tmp_path: Path) -> None:
    data = stripes()
    learner = adversary(tmp_path, "loss: wasserstein\ngradient_penalty: 10")
    learner.setup(data)
    for net in learner.networks.values():
        net.eval()
    parts = [data.held_out.__getitems__(list(range(i, i + 32))) for i in (0, 32)]
    torch.manual_seed(3)
    with torch.no_grad():
        found = learner.evaluate(parts, final=False)
        torch.manual_seed(3)
        for _ in range(4):
            learner.generate_images(250)
        made = torch.cat([learner.generate_images(32)[0] for _ in parts])
        fake = learner.score(made, NO_LABELS).mean()
        images = torch.cat([part["image"] for part in parts])
        real = learner.score(images, NO_LABELS).mean()
    assert found["generator.loss"] == pytest.approx(-float(fake), abs=1e-5)
    assert found["discriminator.loss"] == pytest.approx(float(fake - real), abs=1e-5)
    assert "judge.accuracy" not in found


def test_samples_are_a_grid_from_the_same_noise(tmp_path: Path) -> None:
    learner = adversary(tmp_path, "samples: 9")
    for net in learner.networks.values():
        net.eval()
    with torch.no_grad():
        (first,) = learner.samples([], 3).items()
        torch.rand(5)
        (second,) = learner.samples([], 12).items()
    assert (first[0], second[0]) == ("epoch-003.png", "epoch-012.png")
    assert first[1] == second[1] and isinstance(first[1], bytes)
    assert imread(io.BytesIO(first[1]), format="png").shape[:2] == (126, 126)


# What does not fit.


@pytest.mark.parametrize(
    ("last", "warns"), [("tanh", False), ("sigmoid", True), ("relu", False)]
)
def test_a_generator_with_another_range_than_the_data_is_a_warning(
    tmp_path: Path, last: str, warns: bool
) -> None:
    found = [one.message for one in program(tmp_path, last=last).warnings]
    expected = ["sigmoid gives values in 0..1, and image_folder holds -1..1"]
    assert found == (expected if warns else [])


def test_a_penalty_is_refused_in_mixed_precision(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        program(tmp_path, "gradient_penalty: 1\nprecision: bf16-mixed")
    assert [one.code for one in caught.value.diagnostics] == ["task-misfit"]


CONDITIONAL = """\
name: Told
networks:
  generator:
    inputs: {noise: "float[B, 1]", label: "int[B]"}
    layers:
      known: {op: embedding, num_embeddings: 2, embedding_dim: 4, in: label}
      some: {op: scale, factor: 0.01, in: noise}
      sum: {op: add, in: [known, some]}
      image: {op: unflatten, dim: 1, sizes: [1, 2, 2]}
    outputs: [image]
  discriminator:
    inputs: {image: "float[B, 1, 2, 2]", label: "int[B]"}
    layers:
      flat: {op: flatten, in: image}
      claim: {op: embedding, num_embeddings: 2, embedding_dim: 4, in: label}
      product: {op: mul, in: [flat, claim]}
      score: {op: linear, out_features: 1}
    outputs: [score]
task:
  kind: adversarial
  data: {image_folder: {path: none, size: 2, channels: 1, range: -1..1}}
"""


def test_networks_with_a_label_input_are_conditional(tmp_path: Path) -> None:
    file = tmp_path / "told.yaml"
    file.write_text(CONDITIONAL)
    found = compile_spec(file)
    assert isinstance(found.task, Adversarial)
    networks = build_networks(found)
    metadata = {"range": "-1..1", "classes": ["rows", "columns"]}
    learner = AdversarialLearner(found.task, found.typed.networks, networks, metadata)
    known = networks["generator"].get_parameter("known.weight").detach()
    images, shown = learner.generate_images(200)
    labels = shown["label"]
    assert 60 < int(labels.sum()) < 140
    torch.testing.assert_close(images.flatten(1), known[labels], atol=0.05, rtol=0)
    real = batch()["image"]
    shown_rows = ({"label": torch.full((len(real),), label)} for label in (0, 1))
    scores = [learner.score(real, shown) for shown in shown_rows]
    assert not torch.equal(*scores)
    learner.loss("discriminator", batch(), 0.0).backward()
    claim = networks["discriminator"].get_parameter("claim.weight").grad
    assert claim is not None and bool(claim.any(1).all())


def test_a_label_is_an_integer_for_each_image(tmp_path: Path) -> None:
    file = tmp_path / "told.yaml"
    wrong = CONDITIONAL.replace(
        'label: "int[B]"}\n    layers:\n      known',
        'label: "int[B, 1]"}\n    layers:\n      known',
    )
    file.write_text(wrong)
    with pytest.raises(SpecError, match="label"):
        compile_spec(file)
