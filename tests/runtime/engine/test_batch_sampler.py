from itertools import chain

from runtime.engine.batch_sampler import BUCKET_BATCHES, ShuffledBatchSampler


def test_an_epoch_has_every_example_once_and_the_next_another_order() -> None:
    sampler = ShuffledBatchSampler(10, 2, seed=3)
    first = list(sampler)
    assert sorted(chain.from_iterable(first)) == list(range(10))
    assert list(sampler) == first
    sampler.epoch = 1
    assert list(sampler) != first


def test_an_epoch_resumes_where_it_stopped() -> None:
    sampler = ShuffledBatchSampler(23, 4, seed=0, lengths=[i % 7 for i in range(23)])
    whole = list(sampler)
    sampler.start = 2
    assert list(sampler) == whole[2:]


def test_processes_share_the_batches_of_one() -> None:
    lengths = [(7 * i) % 11 for i in range(40)]
    one = list(ShuffledBatchSampler(40, 8, seed=1, lengths=lengths))
    parts = [list(ShuffledBatchSampler(40, 4, 1, rank, 2, lengths)) for rank in (0, 1)]
    assert [a + b for a, b in zip(*parts, strict=True)] == one


def test_batches_have_similar_lengths() -> None:
    lengths = [(37 * i) % 100 for i in range(4 * BUCKET_BATCHES * 2)]
    batches = list(ShuffledBatchSampler(len(lengths), 4, seed=0, lengths=lengths))
    assert sorted(chain.from_iterable(batches)) == list(range(len(lengths)))
    spread = [
        max(lengths[i] for i in batch) - min(lengths[i] for i in batch)
        for batch in batches
    ]
    assert max(spread) <= 8
    firsts = [lengths[batch[0]] for batch in batches[:BUCKET_BATCHES]]
    assert firsts != sorted(firsts)


def test_few_examples_are_one_batch() -> None:
    assert list(map(sorted, ShuffledBatchSampler(3, 8, seed=0))) == [[0, 1, 2]]
