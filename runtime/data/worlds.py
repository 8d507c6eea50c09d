"""Stories of persons who go to places, take things and put them down, with questions that they answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Final

from compiler.tasks.data.worlds import TOKENS, TURNS, Worlds
from compiler.tasks.data_set import Words
from runtime.data.chat import Dialogue, dialogues
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.padded_texts import Pair, tokenized_pairs
from runtime.data.questions import Question, questions, tokens
from runtime.data.tokenizer import PAIR_SPECIALS, SpacedTokenizer

PERSONS: Final = ("Anna", "Ben", "Carla", "David", "Emma")
PLACES: Final = ("kitchen", "garden", "office", "cellar", "attic", "hall")
THINGS: Final = ("ball", "book", "cup", "lamp")
NUMBERS: Final = ("none", "one", "two", "three", "four")


@dataclass
class World:
    """What is known after the sentences so far.

    Attributes:
        sentences: the story.
        places: where each person is, and the sentence that says so.
        holders: who has each thing, and the sentence that says so.
        dropped: where each thing was put down, and the sentence that says where.
    """

    sentences: list[str] = field(default_factory=list)
    places: dict[str, tuple[str, int]] = field(default_factory=dict)
    holders: dict[str, tuple[str, int]] = field(default_factory=dict)
    dropped: dict[str, tuple[str, int]] = field(default_factory=dict)

    @property
    def story(self) -> str:
        """The sentences so far."""
        return " ".join(self.sentences)

    def go_on(self, random: Random) -> None:
        """Add a sentence."""
        person, number = random.choice(PERSONS), len(self.sentences)
        if person not in self.places or random.random() < 0.5:
            place = random.choice(PLACES)
            self.places[person] = place, number
            how = random.choice(("went to", "moved to", "ran to"))
            self.sentences.append(f"{person} {how} the {place}.")
            return
        own = [thing for thing, (who, _) in self.holders.items() if who == person]
        if own and random.random() < 0.4:
            thing = random.choice(own)
            del self.holders[thing]
            self.dropped[thing] = self.places[person]
            self.sentences.append(f"{person} put down the {thing}.")
            return
        free = [thing for thing in THINGS if thing not in self.holders]
        if not free:
            self.go_on(random)
            return
        thing = random.choice(free)
        self.holders[thing] = person, number
        self.dropped.pop(thing, None)
        self.sentences.append(f"{person} took the {thing}.")

    def questions(self) -> Iterator[tuple[str, str, int]]:
        """Questions, their answers in one word, and the sentences that have it."""
        for person, (place, number) in self.places.items():
            yield f"Where is {person}?", place, number
        for thing, (person, number) in self.holders.items():
            yield f"Who has the {thing}?", person, number
            yield f"Where is the {thing}?", *self.places[person]
        for thing, (place, number) in self.dropped.items():
            yield f"Where is the {thing}?", place, number

    def free_questions(self, random: Random) -> Iterator[tuple[str, str]]:
        """Questions and answers in words of their own."""
        for question, answer, _ in self.questions():
            where = question.startswith("Where")
            yield question, f"in the {answer}" if where else answer
        for person, (place, _) in self.places.items():
            things = sum(who == person for who, _ in self.holders.values())
            yield f"How many things has {person}?", NUMBERS[things]
            other = random.choice((place, random.choice(PLACES)))
            answer = "yes" if other == place else f"no in the {place}"
            yield f"Is {person} in the {other}?", answer


def load(options: Worlds, section: DataSection) -> DataSplits:
    """Questions on stories: the same ones every time."""
    random = Random(options.seed)
    held_out = [_world(options, random) for _ in range(options.held_out)]
    known = {world.story for world in held_out}
    train: list[World] = []
    while len(train) < options.count:
        world = _world(options, random)
        if world.story not in known:
            train.append(world)
    if options.form == "dialogues":
        asked, held = (
            [_dialogue(world, random) for world in part] for part in (train, held_out)
        )
        return dialogues(asked, held, Words(words=TOKENS), options.facts())
    if options.form == "pairs":
        parts = [[_pair(world, random) for world in part] for part in (train, held_out)]
        texts = (side for pair in parts[0] for side in pair)
        words = sorted({word for text in texts for word in text.split()})
        tokenizer = SpacedTokenizer(words, PAIR_SPECIALS, TOKENS)
        return tokenized_pairs(
            parts[0], parts[1], tokenizer, tokenizer, options.facts()
        )
    first, second = (
        [_question(world, random) for world in part] for part in (train, held_out)
    )
    return questions(first, second, TOKENS, options.facts())


def _world(options: Worlds, random: Random) -> World:
    world = World()
    for _ in range(options.sentences):
        world.go_on(random)
    return world


def _question(world: World, random: Random) -> Question:
    question, answer, number = random.choice(list(world.questions()))
    before = sum(len(one) + 1 for one in world.sentences[:number])
    start = before + world.sentences[number].index(answer)
    return Question(question, world.story, (answer,), start)


def _dialogue(world: World, random: Random) -> Dialogue:
    every = list(world.free_questions(random))
    found: list[tuple[str, str]] = []
    for question, answer in random.sample(every, min(TURNS, len(every))):
        story = "" if found else f"{world.story} "
        found += [("user", f"{story}{question}"), ("assistant", answer)]
    return found


def _pair(world: World, random: Random) -> Pair:
    question, answer = random.choice(list(world.free_questions(random)))
    return " ".join(tokens(f"{question} {world.story}")), answer.lower()
