from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
import torch
from matplotlib.image import imread
from PIL import Image
from torch import Tensor
from torch.distributions import Normal, kl_divergence
from torch.nn import functional as F

from compiler import SpecError, compile_spec
from compiler.diagnostics.diagnostic import RequestError
from compiler.tasks.data_facts import DataFacts
from compiler.tasks.kinds.reconstruction import Reconstruction
from runtime.data.dataset import DataSplits, TensorExamples
from runtime.load import build_networks
from runtime.tasks.learner import GenerationRequest
from runtime.tasks.reconstruction import ReconstructionLearner

NETWORK = """\
name: Tiny
inputs:
  image: float[B, 1, 4, 4]
  epsilon: float[B, 3]
layers:
  flat: {op: flatten, in: image}
  mean: {op: linear, out_features: 3}
  spread: {op: linear, out_features: 3, in: flat}
  exp: exp
  mul: {op: mul, in: [exp, epsilon]}
  code: {op: add, in: [mean, mul]}
  pixels: {op: linear, out_features: 16}
  back: {op: unflatten, dim: 1, sizes: [1, 4, 4]}
outputs: {reconstruction: back, mean: mean, log_variance: spread}
"""
PLAIN = """\
name: Plain
inputs: {image: "float[B, 1, 4, 4]"}
layers: {back: {op: conv2d, out_channels: 1, kernel_size: 3, padding: 1}}
outputs: [back]
"""
TASK = """\
task:
  kind: reconstruction
  data: {image_folder: {path: none, size: 4, channels: 1}}
"""
NOISY = "ports: {noise: epsilon}"


def autoencoder(folder: Path, network: str, *lines: str) -> ReconstructionLearner:
    file = folder / "tiny.yaml"
    more = "".join(f"  {line}\n" for line in lines)
    file.write_text(network + TASK + more, encoding="utf-8")
    found = compile_spec(file)
    assert isinstance(found.task, Reconstruction)
    torch.manual_seed(0)
    metadata: dict[str, Any] = {"range": "0..1"}
    return ReconstructionLearner(
        found.task, found.typed.networks, build_networks(found), metadata
    )


def images(count: int = 10) -> Tensor:
    return torch.rand(count, 1, 4, 4, generator=torch.Generator().manual_seed(7))


def test_a_plain_autoencoders_loss_is_the_squared_error(tmp_path: Path) -> None:
    learner = autoencoder(tmp_path, PLAIN)
    image = images()
    found = learner.loss("", {"image": image}, 0.0)
    out = learner.network(image)
    torch.testing.assert_close(found, ((out - image) ** 2).sum())
    with torch.no_grad():
        metrics = learner.evaluate([{"image": image[:6]}, {"image": image[6:]}], True)
    assert metrics.keys() == {"loss", "mse"}
    assert metrics["loss"] == pytest.approx(found.item() / 10, rel=1e-5)
    assert metrics["mse"] == pytest.approx(found.item() / 160, rel=1e-5)


def test_the_mean_image_is_the_baseline(tmp_path: Path) -> None:
    learner = autoencoder(tmp_path, PLAIN)
    train, held_out = images(10), images(13)[10:]
    learner.setup(
        DataSplits(
            TensorExamples({"image": train}),
            TensorExamples({"image": held_out}),
            DataFacts("images"),
        )
    )
    with torch.no_grad():
        during = learner.evaluate([{"image": held_out}], False)
        metrics = learner.evaluate([{"image": held_out}], True)
    assert during.keys() == {"loss", "mse"}
    expected = F.mse_loss(train.mean(0).expand_as(held_out), held_out)
    assert metrics["mse.mean"] == pytest.approx(expected.item(), rel=1e-5)


def test_a_variational_one_adds_the_divergence_from_the_prior(tmp_path: Path) -> None:
    learner = autoencoder(tmp_path, NETWORK, NOISY, "loss: bce", "beta: 0.25")
    image = images()
    torch.manual_seed(5)
    found = learner.loss("", {"image": image}, 0.0)
    torch.manual_seed(5)
    logits, mean, log_variance = learner.network(image, torch.randn(10, 3))
    prior = Normal(torch.zeros(()), torch.ones(()))
    kl = kl_divergence(Normal(mean, (log_variance / 2).exp()), prior).sum()
    cross = F.binary_cross_entropy(logits.sigmoid(), image, reduction="sum")
    torch.testing.assert_close(found, cross + 0.25 * kl)


def test_it_is_evaluated_without_noise(tmp_path: Path) -> None:
    learner = autoencoder(tmp_path, NETWORK, NOISY, "loss: bce")
    image = images()
    with torch.no_grad():
        found = learner.evaluate([{"image": image}], False)
        logits, mean, log_variance = learner.network(image, torch.zeros(10, 3))
    prior = Normal(torch.zeros(()), torch.ones(()))
    kl = kl_divergence(Normal(mean, (log_variance / 2).exp()), prior).sum() / 10
    cross = F.binary_cross_entropy_with_logits(logits, image, reduction="sum") / 10
    assert found["kl"] == pytest.approx(float(kl), rel=1e-5)
    assert found["loss"] == pytest.approx(float(cross + kl), rel=1e-5)
    error = F.mse_loss(logits.sigmoid(), image)
    assert found["mse"] == pytest.approx(float(error), rel=1e-5)


def test_training_converges(tmp_path: Path) -> None:
    learner = autoencoder(tmp_path, NETWORK, NOISY)
    batch = {"image": images()}
    optimizer = torch.optim.Adam(learner.network.parameters(), 1e-2)
    with torch.no_grad():
        before = learner.evaluate([batch], False)["loss"]
    for _ in range(60):
        optimizer.zero_grad()
        torch.autograd.backward(learner.loss("", batch, 0.0))
        optimizer.step()
    with torch.no_grad():
        assert learner.evaluate([batch], False)["loss"] < before / 2


@pytest.mark.parametrize(
    ("count", "rows", "columns"), [(40, 6, 8), (13, 2, 8), (3, 2, 3)]
)
def test_samples_are_originals_above_reconstructions(
    tmp_path: Path, count: int, rows: int, columns: int
) -> None:
    learner = autoencoder(tmp_path, PLAIN)
    batches = [{"image": images(count)[:9]}, {"image": images(count)[9:]}]
    with torch.no_grad():
        ((name, png),) = learner.samples(batches, 3).items()
    assert name == "epoch-003.png" and isinstance(png, bytes)
    picture = torch.tensor(imread(io.BytesIO(png), format="png"))[..., 0]
    assert picture.shape == (42 * rows, 42 * columns)
    original = picture[1:41, 43:83]  # the second original
    expected = images(count)[1, 0].repeat_interleave(10, 0).repeat_interleave(10, 1)
    torch.testing.assert_close(original, expected, atol=0.01, rtol=0)


def test_cross_entropy_of_negative_values_is_refused(tmp_path: Path) -> None:
    task = TASK.replace("channels: 1", "channels: 1, range: -1..1")
    file = tmp_path / "tiny.yaml"
    file.write_text(PLAIN + task + "  loss: bce\n", encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        compile_spec(file)
    assert [one.code for one in caught.value.diagnostics] == ["data-misfit"]


def test_an_input_without_a_role_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        autoencoder(tmp_path, NETWORK)
    assert {one.code for one in caught.value.diagnostics} == {"task-misfit"}


def test_images_are_generated_from_the_prior(tmp_path: Path) -> None:
    halved = "halved: {op: scale, factor: 0.5}\n  exp: exp"
    network = NETWORK.replace("exp: exp", halved)
    learner = autoencoder(tmp_path, network, NOISY, "loss: bce")
    learner.network.eval()
    code = torch.randn(5, 3)
    decoded = learner._decode(code, {}, 0.0)
    # The same codes, reached from another image.
    image = images(5)
    with torch.no_grad():
        _, mean, log_variance = learner.network(image, torch.zeros(5, 3))
        noise = (code - mean) / (log_variance / 2).exp()
        logits, *_ = learner.network(image, noise)
    torch.testing.assert_close(decoded, logits.sigmoid())
    picture = learner.generate(GenerationRequest())
    assert picture == learner.generate(GenerationRequest(sampling={"seed": 0}))
    assert picture.startswith(b"\x89PNG")


CONDITIONAL = (
    NETWORK.replace("epsilon: float[B, 3]", "epsilon: float[B, 3]\n  label: int[B]")
    .replace(
        "  pixels:",
        "  which: {op: embedding, num_embeddings: 2, embedding_dim: 3, in: label}\n"
        "  both: {op: add, in: [code, which]}\n"
        "  pixels:",
    )
    .replace("exp: exp", "halved: {op: scale, factor: 0.5}\n  exp: exp")
)


def test_a_network_that_knows_classes_draws_images_of_one(tmp_path: Path) -> None:
    learner = autoencoder(tmp_path, CONDITIONAL, NOISY, "loss: bce")
    learner.metadata = {"classes": ["cat", "dog"], "range": "0..1"}
    learner.network.eval()
    code, image = torch.randn(4, 3), images(4)
    labels = torch.tensor([0, 1, 1, 0])
    decoded = learner._decode(code, {"label": labels}, 0.0)
    with torch.no_grad():
        _, mean, log_variance = learner.network(image, torch.zeros(4, 3), labels)
        noise = (code - mean) / (log_variance / 2).exp()
        logits, *_ = learner.network(image, noise, labels)
    torch.testing.assert_close(decoded, logits.sigmoid())
    dogs = learner.generate(GenerationRequest(label="dog"))
    assert dogs != learner.generate(GenerationRequest(label="cat"))
    with pytest.raises(RequestError, match="there is no class dig: did you mean `dog`"):
        learner.generate(GenerationRequest(label="dig"))
    file = tmp_path / "grey.png"
    Image.new("L", (4, 4), 51).save(file)
    (found,) = learner.predict([str(file)])
    grey = torch.full((2, 1, 4, 4), 0.2)
    with torch.no_grad():
        out = learner.call(
            "", image=grey, noise=torch.zeros(2, 3), label=torch.arange(2)
        )
    losses = learner.reconstruction_error(out, grey) + learner.kl_divergence(out)
    assert found["label"] == ["cat", "dog"][int(losses.argmin())]


def test_an_embedding_with_too_few_classes(tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    task = TASK.replace("{image_folder: {path: none, size: 4, channels: 1}}", "digits")
    sized = CONDITIONAL.replace("4, 4]", "8, 8]").replace(
        "features: 16", "features: 64"
    )
    file.write_text(f"{sized}{task}  {NOISY}\n", encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        compile_spec(file)
    (one,) = caught.value.diagnostics
    assert one.code == "vocabulary-mismatch" and "10 classes" in one.message


def test_an_autoencoder_without_a_prior_generates_nothing(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="only a variational autoencoder"):
        autoencoder(tmp_path, PLAIN).generate(GenerationRequest())


def test_a_code_that_is_sampled_otherwise_is_refused(tmp_path: Path) -> None:
    learner = autoencoder(tmp_path, NETWORK, NOISY, "loss: bce")
    with pytest.raises(RequestError, match=r"is not mean \+ exp\(log_variance / 2\)"):
        learner.generate(GenerationRequest())


def test_predictions_are_errors_and_codes(tmp_path: Path) -> None:
    learner = autoencoder(tmp_path, NETWORK, NOISY, "loss: bce")
    learner.network.eval()
    file = tmp_path / "grey.png"
    Image.new("L", (9, 9), 51).save(file)
    (found,) = learner.predict([str(file)])
    image = torch.full((1, 1, 4, 4), 0.2)
    with torch.no_grad():
        logits, mean, _ = learner.network(image, torch.zeros(1, 3))
    assert found["mse"] == pytest.approx(F.mse_loss(logits.sigmoid(), image).item())
    assert found["code"] == pytest.approx(mean[0].tolist())
